package dev.tuna.testkit.vllm;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;

/** {@code /v1/embeddings}: a unit vector that depends on every token of the input. */
final class Embeddings {

    private static final int DIMENSIONS = 32;

    private final RequestParser parser;

    Embeddings(RequestParser parser) {
        this.parser = parser;
    }

    void handle(Exchange exchange) throws ApiError {
        Fields fields = new Fields(exchange.body());
        String model = parser.model(fields);
        List<int[]> inputs = RequestParser.prompts("input", fields.at("input"));
        boolean base64 = fields.at("encoding_format").asText("float").equals("base64");
        ObjectNode answer = JsonNodeFactory.instance
                .objectNode()
                .put("id", "embd-" + ConnectionHandler.requestId(exchange.request()))
                .put("object", "list")
                .put("created", System.currentTimeMillis() / 1000)
                .put("model", model);
        ArrayNode data = answer.putArray("data");
        int tokens = 0;
        for (int i = 0; i < inputs.size(); i++) {
            ObjectNode item = data.addObject().put("index", i).put("object", "embedding");
            float[] vector = vector(inputs.get(i));
            if (base64) {
                item.put("embedding", base64(vector));
            } else {
                ArrayNode numbers = item.putArray("embedding");
                for (float value : vector) {
                    numbers.add(value);
                }
            }
            tokens += inputs.get(i).length;
        }
        answer.putObject("usage")
                .put("prompt_tokens", tokens)
                .put("total_tokens", tokens)
                .put("completion_tokens", 0);
        Routes.answer(exchange, answer);
    }

    private static float[] vector(int[] ids) {
        StandInModel model = StandInModel.after(ids);
        float[] vector = new float[DIMENSIONS];
        double norm = 0;
        for (int i = 0; i < DIMENSIONS; i++) {
            vector[i] = model.next(false) / (float) StandInTokenizer.VOCABULARY - 0.5f;
            norm += (double) vector[i] * vector[i];
        }
        for (int i = 0; i < DIMENSIONS; i++) {
            vector[i] = (float) (vector[i] / Math.sqrt(norm));
        }
        return vector;
    }

    private static String base64(float[] vector) {
        ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : vector) {
            bytes.putFloat(value);
        }
        return Base64.getEncoder().encodeToString(bytes.array());
    }
}
