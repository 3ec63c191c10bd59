package dev.tuna.router.stream;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Set;

/** What a model server is asked before it can be told to go on, and how its answers are read. Pure. */
public final class Questions {

    /** What decides which tokens a prompt has. */
    private static final Set<String> PROMPT = Set.of(
            "model",
            "prompt",
            "messages",
            "tools",
            "add_generation_prompt",
            "continue_final_message",
            "add_special_tokens",
            "chat_template",
            "chat_template_kwargs");

    private Questions() {}

    /**
     * Asks which tokens the prompt of a request has.
     *
     * @param body the request's
     * @return a body for {@code /tokenize}; to be released
     */
    public static ByteBuf tokenize(byte[] body) {
        return Fields.copied(body, PROMPT::contains, json -> {}, 64);
    }

    /**
     * Asks which text some tokens are.
     *
     * @param body the request's
     * @param ids the tokens
     * @return a body for {@code /detokenize}; to be released
     */
    public static ByteBuf detokenize(byte[] body, int[] ids) {
        Fields tokens = json -> {
            json.writeFieldName("tokens");
            json.writeArray(ids, 0, ids.length);
        };
        return Fields.copied(body, "model"::equals, tokens, 8 * ids.length + 64);
    }

    /** Reads one value of an answer. */
    private interface Value<T> {
        T read(JsonParser json) throws IOException;
    }

    /**
     * The tokens.
     *
     * @param answer of {@code /tokenize}
     * @return ids; empty if there are none in it
     * @throws UncheckedIOException if it is not JSON
     */
    public static int[] tokens(byte[] answer) {
        return value(answer, "tokens", new int[0], json -> {
            int[] ids = new int[64];
            int count = 0;
            while (json.currentToken() != JsonToken.END_ARRAY && json.nextToken() != JsonToken.END_ARRAY) {
                ids = count == ids.length ? Arrays.copyOf(ids, 2 * count) : ids;
                ids[count++] = json.getIntValue();
            }
            return Arrays.copyOf(ids, count);
        });
    }

    /**
     * The end of the text. Half a character at its very end is not text yet.
     *
     * @param answer of {@code /detokenize}
     * @param atMost how many characters (code points) are wanted
     * @return the last ones
     * @throws UncheckedIOException if it is not JSON
     */
    public static String end(byte[] answer, int atMost) {
        String text = value(answer, "prompt", "", JsonParser::getText);
        int end = text.length();
        while (end > 0 && text.charAt(end - 1) == '\uFFFD') {
            end--;
        }
        int from = text.codePointCount(0, end) <= atMost ? 0 : text.offsetByCodePoints(end, -atMost);
        return text.substring(from, end);
    }

    /**
     * The longest prompt and answer together.
     *
     * @param answer of {@code /v1/models}
     * @return tokens of the first model that says so; zero if none does
     * @throws UncheckedIOException if it is not JSON
     */
    public static int window(byte[] answer) {
        return value(answer, "max_model_len", 0, JsonParser::getValueAsInt);
    }

    /**
     * The server's version.
     *
     * @param answer of {@code /version}
     * @return as it says; empty if it does not
     * @throws UncheckedIOException if it is not JSON
     */
    public static String version(byte[] answer) {
        return value(answer, "version", "", JsonParser::getText);
    }

    /** The first field of that name, however deep. */
    private static <T> T value(byte[] answer, String name, T otherwise, Value<T> value) {
        try (JsonParser json = StreamRequest.JSON.createParser(answer)) {
            for (JsonToken token = json.nextToken(); token != null; token = json.nextToken()) {
                if (token == JsonToken.FIELD_NAME && json.currentName().equals(name)) {
                    json.nextToken();
                    return value.read(json);
                }
            }
            return otherwise;
        } catch (IOException e) {
            throw new UncheckedIOException("the server's answer cannot be read", e);
        }
    }
}
