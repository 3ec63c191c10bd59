package dev.tuna.testkit.vllm;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/** JSON to and from bytes. */
final class Json {

    static final ObjectMapper MAPPER = new ObjectMapper();

    private Json() {}

    /** Writes one value. */
    interface Writing {
        void to(JsonGenerator json) throws IOException;
    }

    static byte[] bytes(Writing writing) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        try (JsonGenerator json = MAPPER.getFactory().createGenerator(bytes)) {
            writing.to(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    static byte[] bytes(JsonNode node) {
        return bytes(json -> MAPPER.writeTree(json, node));
    }

    static JsonNode parse(byte[] body) throws ApiError {
        try {
            JsonNode node = MAPPER.readTree(body);
            if (node == null || node.isMissingNode()) {
                throw ApiError.badRequest("[{'type': 'missing', 'loc': ('body',), 'msg': 'Field required'}]");
            }
            return node;
        } catch (IOException e) {
            throw ApiError.badRequest("[{'type': 'json_invalid', 'loc': ('body',), 'msg': 'JSON decode error'}]");
        }
    }
}
