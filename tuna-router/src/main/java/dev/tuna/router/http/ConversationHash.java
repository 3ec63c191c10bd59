package dev.tuna.router.http;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;
import java.util.zip.CRC32C;

/**
 * Tells conversations apart while a body is scanned, by how they begin: a client sends the same beginning again with each
 * turn, byte for byte. Goes over those bytes once more, with an instruction of the processor's, and keeps none.
 */
final class ConversationHash {

    private static final int MOST_OF_PROMPT = 1024;
    private static final int NOWHERE = -1;

    private final JsonParser json;
    private final ByteBuf body;
    private int promptFrom = NOWHERE;
    private OptionalLong value = OptionalLong.empty();

    ConversationHash(JsonParser json, ByteBuf body) {
        this.json = json;
        this.body = body;
    }

    OptionalLong value() {
        return value;
    }

    /** The parser is at the list's beginning; goes to its end. What a user says first is in every turn, what follows is not. */
    void messages() throws IOException {
        int from = offset();
        boolean found = false;
        while (json.nextToken() != JsonToken.END_ARRAY) {
            if (!found && json.currentToken() == JsonToken.START_OBJECT && isUsers()) {
                found = true;
                value = hash(from, offset() + 1);
            } else {
                json.skipChildren();
            }
        }
    }

    /** Reads a message to its end. */
    private boolean isUsers() throws IOException {
        boolean users = false;
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            boolean role = json.currentName().equals("role");
            JsonToken said = json.nextToken();
            if (role) {
                users = said == JsonToken.VALUE_STRING && json.getText().equals("user");
            }
            json.skipChildren();
        }
        return users;
    }

    /** The parser is at the prompt's beginning. */
    void promptBegins() {
        promptFrom = offset();
    }

    /** The parser is behind a field: if it was the prompt, its length is known without having read it. */
    void fieldEnded() {
        if (promptFrom != NOWHERE && value.isEmpty()) {
            value = hash(promptFrom, Math.min(promptFrom + MOST_OF_PROMPT, offset()));
        }
        promptFrom = NOWHERE;
    }

    private int offset() {
        return (int) json.currentTokenLocation().getByteOffset();
    }

    private OptionalLong hash(int from, int to) {
        if (from > to || to > body.readableBytes()) {
            return OptionalLong.empty(); // where a body breaks off the parser miscounts; such a body is refused
        }
        CRC32C sum = new CRC32C();
        for (ByteBuffer part : body.nioBuffers(body.readerIndex() + from, to - from)) {
            sum.update(part);
        }
        return OptionalLong.of(sum.getValue());
    }
}
