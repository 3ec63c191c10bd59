package dev.tuna.router.stream;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The body of the request by which another backend goes on: the client's, with what has been generated counted off. Pure.
 */
public final class ResumeRequest {

    /** Written anew, or meant for the beginning only: a longer prompt must be neither truncated nor said again. */
    private static final Set<String> REWRITTEN = Set.of(
            StreamRequest.RETURN_TOKEN_IDS,
            "kv_transfer_params",
            "max_tokens",
            "max_completion_tokens",
            "min_tokens",
            "seed",
            "echo",
            "truncate_prompt_tokens");

    /** What a chat and a completion have in common beside these. */
    private static final Set<String> SAMPLING = Set.of(
            "model",
            "stream",
            "stream_options",
            "temperature",
            "top_p",
            "top_k",
            "min_p",
            "repetition_penalty",
            "logit_bias",
            "bad_words",
            "allowed_token_ids",
            "stop",
            "stop_token_ids",
            "include_stop_str_in_output",
            "ignore_eos",
            "skip_special_tokens",
            "spaces_between_special_tokens",
            "priority",
            "cache_salt",
            "session_id",
            "user");

    private static final Set<String> FINAL_MESSAGE =
            Set.of("messages", "continue_final_message", "add_generation_prompt");

    private final byte[] body;
    private final StreamRequest asked;
    private final TokenRecorder soFar;
    private final int generated;
    private final boolean stops;

    /**
     * A request to go on.
     *
     * @param body the client's, a JSON object
     * @param asked what it asks for
     * @param soFar the tokens of the prompt and of what has been generated; ids are needed for what is exact only
     * @param stops whether the next backend looks for stop strings; otherwise the router does, since one may lie across the
     *     seam
     */
    public ResumeRequest(byte[] body, StreamRequest asked, TokenRecorder soFar, boolean stops) {
        this.body = body;
        this.asked = asked;
        this.soFar = soFar;
        this.generated = soFar.settled();
        this.stops = stops;
    }

    /**
     * For the chat endpoint: the same conversation, whose tokens the server is told.
     *
     * @return JSON; to be released
     */
    public ByteBuf chat() {
        return write(name -> !REWRITTEN.contains(name), 8 * soFar.soFar(), json -> {
            OptionalInt left = asked.tokensLeft(generated);
            if (left.isPresent()) {
                json.writeNumberField("max_completion_tokens", left.getAsInt());
            }
            json.writeObjectFieldStart("kv_transfer_params");
            ids(json, "prompt_token_ids");
            json.writeEndObject();
        });
    }

    /**
     * For the completions endpoint: the tokens as the prompt.
     *
     * @param window the server's, used for chats that do not say how long they may be; otherwise of no matter
     * @return JSON; to be released
     */
    public ByteBuf completion(OptionalInt window) {
        Predicate<String> kept =
                asked.chat() ? SAMPLING::contains : name -> !REWRITTEN.contains(name) && !name.equals("prompt");
        return write(kept, 8 * soFar.soFar(), json -> {
            OptionalInt left = asked.tokensLeft(generated);
            int most = left.orElse(window.orElse(Integer.MAX_VALUE) - soFar.soFar());
            json.writeNumberField("max_tokens", most);
            ids(json, "prompt");
        });
    }

    /**
     * For the chat endpoint: the text so far as the beginning of the assistant's turn.
     *
     * @param text what the assistant has said so far
     * @return JSON; to be released
     */
    public ByteBuf prefill(String text) {
        Predicate<String> kept = name -> !REWRITTEN.contains(name) && !FINAL_MESSAGE.contains(name);
        return write(kept, text.length(), json -> {
            OptionalInt left = asked.tokensLeft(generated);
            if (left.isPresent()) {
                json.writeNumberField("max_completion_tokens", left.getAsInt());
            }
            json.writeBooleanField("continue_final_message", true);
            json.writeBooleanField("add_generation_prompt", false);
            messages(json, text);
        });
    }

    private void messages(JsonGenerator json, String text) throws IOException {
        json.writeArrayFieldStart("messages");
        try (JsonParser from = StreamRequest.JSON.createParser(body)) {
            from.nextToken();
            while (from.nextToken() == JsonToken.FIELD_NAME) {
                boolean messages = from.currentName().equals("messages");
                if (from.nextToken() == JsonToken.START_ARRAY && messages) {
                    while (from.nextToken() != JsonToken.END_ARRAY) {
                        json.copyCurrentStructure(from);
                    }
                }
                from.skipChildren();
            }
        }
        json.writeStartObject();
        json.writeStringField("role", "assistant");
        json.writeStringField("content", text);
        json.writeEndObject();
        json.writeEndArray();
    }

    private void ids(JsonGenerator json, String name) throws IOException {
        json.writeArrayFieldStart(name);
        for (int i = 0; i < soFar.soFar(); i++) {
            json.writeNumber(soFar.soFar(i));
        }
        json.writeEndArray();
    }

    private ByteBuf write(Predicate<String> kept, int room, Fields rest) {
        Fields more = json -> {
            common(json);
            rest.write(json);
        };
        return Fields.copied(body, name -> kept.test(name) && (stops || !name.equals("stop")), more, room + 256);
    }

    private void common(JsonGenerator json) throws IOException {
        json.writeBooleanField(StreamRequest.RETURN_TOKEN_IDS, true);
        if (asked.minTokens() > generated) {
            json.writeNumberField("min_tokens", asked.minTokens() - generated);
        }
        if (asked.seed().isPresent()) {
            json.writeNumberField("seed", derived(asked.seed().getAsLong()));
        }
    }

    /** A seed used again would draw the first tokens' random numbers again. The finalizer of splitmix64. */
    private long derived(long seed) {
        if (generated == 0) {
            return seed;
        }
        long z = seed + generated * 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return (z ^ (z >>> 31)) >>> 33;
    }
}
