package dev.tuna.testkit.vllm;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** {@code chat.completion} and {@code chat.completion.chunk}. */
final class ChatFormat extends AnswerFormat {

    ChatFormat(GenerationRequest request, String id, long created) {
        super(request, id, created);
    }

    @Override
    String chunkObject() {
        return "chat.completion.chunk";
    }

    @Override
    String wholeObject() {
        return "chat.completion";
    }

    @Override
    boolean opensWithRole() {
        return true;
    }

    @Override
    void writeFirst(JsonGenerator json, int choice) throws IOException {
        writeIds(json, "prompt_token_ids", request().promptOf(choice));
    }

    @Override
    void writePromptIds(JsonGenerator json, int choice) {}

    @Override
    void writeChunkText(JsonGenerator json, String text, boolean role, boolean reasoning) throws IOException {
        json.writeObjectFieldStart("delta");
        if (role) {
            json.writeStringField("role", "assistant");
        }
        json.writeStringField(reasoning ? "reasoning" : "content", text);
        json.writeEndObject();
    }

    @Override
    void writeWholeText(JsonGenerator json, ChoiceText choice) throws IOException {
        json.writeObjectFieldStart("message");
        json.writeStringField("role", "assistant");
        json.writeStringField("content", choice.text());
        if (!choice.reasoning().isEmpty()) {
            json.writeStringField("reasoning", choice.reasoning());
        }
        json.writeNullField("refusal");
        json.writeArrayFieldStart("tool_calls");
        json.writeEndArray();
        json.writeEndObject();
    }

    @Override
    void writeLogprobs(JsonGenerator json, int[] ids, int offset) throws IOException {
        json.writeObjectFieldStart("logprobs");
        json.writeArrayFieldStart("content");
        for (int id : ids) {
            json.writeStartObject();
            writeLogprob(json, id, 0);
            json.writeArrayFieldStart("top_logprobs");
            for (int i = 0; i < request().logprobs(); i++) {
                json.writeStartObject();
                writeLogprob(json, (id + i) % StandInTokenizer.VOCABULARY, i);
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /** The model is certain of its token; alternatives are only there to fill the shape. */
    private static void writeLogprob(JsonGenerator json, int id, int rank) throws IOException {
        String token = StandInTokenizer.decode(id);
        json.writeStringField("token", token);
        json.writeNumberField("logprob", rank == 0 ? 0 : -10.0 - rank);
        json.writeFieldName("bytes");
        json.writeStartArray();
        for (byte value : token.getBytes(StandardCharsets.UTF_8)) {
            json.writeNumber(value & 0xFF);
        }
        json.writeEndArray();
    }
}
