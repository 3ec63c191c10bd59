package dev.tuna.router.stream;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;

/** What a chunk adds to the text of its first choice. Pure. */
public final class ChunkText {

    private ChunkText() {}

    /**
     * Of a chat, what is said; what is thought is no part of it.
     *
     * @param event the whole event
     * @return empty if it adds nothing
     * @throws UncheckedIOException if it is not JSON
     */
    public static String ofChat(byte[] event) {
        return read(event, "delta", "content");
    }

    /**
     * Of a completion.
     *
     * @param event the whole event
     * @return empty if it adds nothing
     * @throws UncheckedIOException if it is not JSON
     */
    public static String ofCompletion(byte[] event) {
        return read(event, "text");
    }

    private static String read(byte[] event, String... withinChoice) {
        int from = SeamFilter.dataOf(event);
        try (JsonParser json = StreamRequest.JSON.createParser(event, from, event.length - from)) {
            json.nextToken();
            boolean found = enter(json, "choices") && json.nextToken() == JsonToken.START_OBJECT;
            for (int i = 0; found && i < withinChoice.length; i++) {
                found = enter(json, withinChoice[i]);
            }
            return found && json.currentToken() == JsonToken.VALUE_STRING ? json.getText() : "";
        } catch (IOException e) {
            throw new UncheckedIOException("the chunk cannot be read", e);
        }
    }

    /** To the value of a field of the object that the parser is at the beginning of; false if there is none. */
    private static boolean enter(JsonParser json, String name) throws IOException {
        if (json.currentToken() != JsonToken.START_OBJECT) {
            return false;
        }
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            boolean found = json.currentName().equals(name);
            json.nextToken();
            if (found) {
                return true;
            }
            json.skipChildren();
        }
        return false;
    }
}
