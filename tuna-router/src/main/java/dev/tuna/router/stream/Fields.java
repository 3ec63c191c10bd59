package dev.tuna.router.stream;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufOutputStream;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.OutputStream;
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
     * @return JSON, written once; to be released
     */
    static ByteBuf copied(byte[] body, Predicate<String> kept, Fields more, int room) {
        ByteBuf bytes = Unpooled.buffer(body.length + room);
        try (JsonParser from = StreamRequest.JSON.createParser(body);
                JsonGenerator json =
                        StreamRequest.JSON.createGenerator((OutputStream) new ByteBufOutputStream(bytes))) {
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
            bytes.release();
            throw new UncheckedIOException("a body that was readable no longer is", e);
        }
        return bytes;
    }
}
