package dev.tuna.router.stream;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.Predicate;

/** Writes JSON. */
interface Fields {

    void write(JsonGenerator json) throws IOException;

    /**
     * An object like another one.
     *
     * @param body a JSON object
     * @param kept which of its fields to copy
     * @param more writes further fields
     * @param room bytes that these may need
     * @return JSON
     */
    static byte[] copied(byte[] body, Predicate<String> kept, Fields more, int room) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(body.length + room);
        try (JsonParser from = StreamRequest.JSON.createParser(body);
                JsonGenerator json = StreamRequest.JSON.createGenerator(bytes)) {
            from.nextToken();
            json.writeStartObject();
            while (from.nextToken() == JsonToken.FIELD_NAME) {
                String name = from.currentName();
                from.nextToken();
                if (kept.test(name)) {
                    json.writeFieldName(name);
                    json.copyCurrentStructure(from);
                } else {
                    from.skipChildren();
                }
            }
            more.write(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("a body that was readable no longer is", e);
        }
        return bytes.toByteArray();
    }
}
