package dev.tuna.router.stream;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What a streamed request asks for, as far as it matters for a continuation; whether there can be one at all. Immutable.
 *
 * @param chat whether it is a chat; otherwise a completion
 * @param maxTokens most tokens to generate; empty for the server's default
 * @param minTokens fewest tokens to generate
 * @param seed for sampling
 * @param stop strings that end the answer
 * @param includeStop whether the string that ended it is part of the answer; then servers hold no text back
 * @param includeUsage whether the client wants a usage chunk
 * @param returnTokenIds whether the client wants token ids
 * @param tools whether there are tools that the model may call
 * @param logprobs whether the client wants log probabilities
 * @param ineligible why it cannot be continued exactly; empty if it can
 */
public record StreamRequest(
        boolean chat,
        OptionalInt maxTokens,
        int minTokens,
        OptionalLong seed,
        List<String> stop,
        boolean includeStop,
        boolean includeUsage,
        boolean returnTokenIds,
        boolean tools,
        boolean logprobs,
        Optional<Ineligible> ineligible) {

    /** The field by which servers are asked for token ids. */
    static final String RETURN_TOKEN_IDS = "return_token_ids";

    /** vLLM's default for completions that do not say how long they may be. */
    static final int COMPLETION_MAX_TOKENS = 16;

    /** Bodies have been read before, under stricter limits. */
    static final JsonFactory JSON = new JsonFactoryBuilder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build();

    /** Copies the list. */
    public StreamRequest {
        stop = List.copyOf(stop);
    }

    /**
     * Reads a request's body.
     *
     * @param body a JSON object; its indices are not moved
     * @param chat whether it is a chat
     * @return what it asks for; a body that cannot be understood is not continued
     */
    public static StreamRequest read(ByteBuf body, boolean chat) {
        Reading reading = new Reading(chat);
        try (JsonParser json = JSON.createParser((InputStream) new ByteBufInputStream(body.duplicate()))) {
            json.nextToken();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                json.nextToken();
                reading.field(name, json);
                json.skipChildren();
            }
        } catch (IOException | NumberFormatException | ArithmeticException e) {
            reading.refuse(Ineligible.NO_TOKENS); // the server will say what is wrong with it
        }
        return reading.result();
    }

    /**
     * How much text a server holds back until it cannot be the beginning of a stop string.
     *
     * @return characters (code points); zero without stop strings of more than one
     */
    public int heldBack() {
        return stop.stream()
                        .mapToInt(string -> string.codePointCount(0, string.length()))
                        .max()
                        .orElse(1)
                - 1;
    }

    /**
     * How many tokens may still come.
     *
     * @param generated tokens that have come
     * @return zero or more; empty if the window is the only limit
     */
    public OptionalInt tokensLeft(int generated) {
        if (maxTokens.isEmpty() && chat) {
            return OptionalInt.empty();
        }
        return OptionalInt.of(Math.max(0, maxTokens.orElse(COMPLETION_MAX_TOKENS) - generated));
    }

    /** One pass over a body. */
    private static final class Reading {
        private final boolean chat;
        private final List<String> stop = new ArrayList<>();
        private OptionalInt maxTokens = OptionalInt.empty();
        private OptionalInt maxCompletionTokens = OptionalInt.empty();
        private OptionalLong seed = OptionalLong.empty();
        private Optional<Ineligible> ineligible = Optional.empty();
        private int minTokens;
        private boolean includeStop;
        private boolean includeUsage;
        private boolean returnTokenIds;
        private boolean tools;
        private boolean logprobs;

        Reading(boolean chat) {
            this.chat = chat;
        }

        void refuse(Ineligible why) {
            if (ineligible.isEmpty()) {
                ineligible = Optional.of(why);
            }
        }

        void field(String name, JsonParser json) throws IOException {
            JsonToken value = json.currentToken();
            if (value == JsonToken.VALUE_NULL) {
                return;
            }
            switch (name) {
                case "max_tokens" -> maxTokens = OptionalInt.of(json.getIntValue());
                case "max_completion_tokens" -> maxCompletionTokens = OptionalInt.of(json.getIntValue());
                case "min_tokens" -> minTokens = json.getIntValue();
                case "seed" -> seed = OptionalLong.of(json.getLongValue());
                case "stop" -> strings(json, stop);
                case "include_stop_str_in_output" -> includeStop = isTrue(value);
                case "stream_options" -> streamOptions(json);
                case RETURN_TOKEN_IDS -> returnTokenIds = isTrue(value);
                case "tools" -> tools = hasItems(json);
                case "logprobs" -> logprobs = value != JsonToken.VALUE_FALSE;
                default -> eligibility(name, json, value);
            }
        }

        private void eligibility(String name, JsonParser json, JsonToken value) throws IOException {
            switch (name) {
                case "n", "best_of" -> refuseUnless(json.getDoubleValue() <= 1, Ineligible.SEVERAL_CHOICES);
                case "use_beam_search" -> refuseUnless(!isTrue(value), Ineligible.SEVERAL_CHOICES);
                case "presence_penalty", "frequency_penalty" ->
                    refuseUnless(json.getDoubleValue() == 0, Ineligible.PENALTIES);
                case "response_format" -> refuseUnless(isPlainFormat(json), Ineligible.GRAMMAR);
                case "structured_outputs" -> refuse(Ineligible.GRAMMAR);
                case "tool_choice" -> refuseUnless(isFreeChoice(json, value), Ineligible.FORCED_TOOL);
                case "function_call", "functions" -> refuse(Ineligible.FORCED_TOOL);
                case "thinking_token_budget", "repetition_detection", "logits_processors", "vllm_xargs" ->
                    refuse(Ineligible.DECODER_STATE);
                case "prompt_embeds", "suffix" -> refuse(Ineligible.NO_TOKENS);
                case "prompt" -> refuseUnless(isOnePrompt(json, value), Ineligible.SEVERAL_CHOICES);
                case "messages" -> refuseUnless(hasTextOnly(json), Ineligible.MEDIA);
                default -> refuseUnless(!name.startsWith("guided_"), Ineligible.GRAMMAR);
            }
        }

        private void refuseUnless(boolean holds, Ineligible why) {
            if (!holds) {
                refuse(why);
            }
        }

        private static boolean isTrue(JsonToken value) {
            return value == JsonToken.VALUE_TRUE;
        }

        private static boolean hasItems(JsonParser json) throws IOException {
            if (json.currentToken() != JsonToken.START_ARRAY) {
                return false;
            }
            boolean any = json.nextToken() != JsonToken.END_ARRAY;
            skipRest(json, JsonToken.END_ARRAY);
            return any;
        }

        /** To the end of the container that the parser is directly in. */
        private static void skipRest(JsonParser json, JsonToken end) throws IOException {
            while (json.currentToken() != end) {
                json.skipChildren();
                json.nextToken();
            }
        }

        private static void strings(JsonParser json, List<String> to) throws IOException {
            if (json.currentToken() == JsonToken.VALUE_STRING) {
                to.add(json.getText());
            } else if (json.currentToken() == JsonToken.START_ARRAY) {
                while (json.nextToken() != JsonToken.END_ARRAY) {
                    to.add(json.getText());
                    json.skipChildren();
                }
            }
        }

        private void streamOptions(JsonParser json) throws IOException {
            if (json.currentToken() == JsonToken.START_OBJECT) {
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    boolean usage = json.currentName().equals("include_usage");
                    includeUsage |= json.nextToken() == JsonToken.VALUE_TRUE && usage;
                    json.skipChildren();
                }
            }
        }

        private static boolean isPlainFormat(JsonParser json) throws IOException {
            boolean text = false;
            while (json.currentToken() != JsonToken.END_OBJECT && json.nextToken() == JsonToken.FIELD_NAME) {
                boolean type = json.currentName().equals("type");
                json.nextToken();
                text |= type && "text".equals(json.getText());
                json.skipChildren();
            }
            return text;
        }

        private static boolean isFreeChoice(JsonParser json, JsonToken value) throws IOException {
            return value == JsonToken.VALUE_STRING
                    && (json.getText().equals("auto") || json.getText().equals("none"));
        }

        /** A string, or a list of token ids. */
        private static boolean isOnePrompt(JsonParser json, JsonToken value) throws IOException {
            if (value != JsonToken.START_ARRAY) {
                return value == JsonToken.VALUE_STRING;
            }
            int texts = 0;
            int ids = 0;
            for (JsonToken item = json.nextToken(); item != JsonToken.END_ARRAY; item = json.nextToken()) {
                ids += item.isNumeric() ? 1 : 0;
                texts += item.isNumeric() ? 0 : 1;
                json.skipChildren();
            }
            return texts == 0 ? ids > 0 : texts == 1 && ids == 0;
        }

        /** Parts of a message's content that are not text are media, or something that templates treat as such. */
        private static boolean hasTextOnly(JsonParser json) throws IOException {
            boolean text = true;
            if (json.currentToken() != JsonToken.START_ARRAY) {
                return true;
            }
            while (json.nextToken() != JsonToken.END_ARRAY) {
                if (json.currentToken() == JsonToken.START_OBJECT) {
                    text &= isTextMessage(json);
                }
                json.skipChildren();
            }
            return text;
        }

        private static boolean isTextMessage(JsonParser json) throws IOException {
            boolean text = true;
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                boolean content = json.currentName().equals("content");
                if (json.nextToken() == JsonToken.START_ARRAY && content) {
                    text &= areTextParts(json);
                }
                json.skipChildren();
            }
            return text;
        }

        private static boolean areTextParts(JsonParser json) throws IOException {
            boolean text = true;
            while (json.nextToken() != JsonToken.END_ARRAY) {
                if (json.currentToken() == JsonToken.START_OBJECT) {
                    text &= isTextPart(json);
                }
                json.skipChildren();
            }
            return text;
        }

        private static boolean isTextPart(JsonParser json) throws IOException {
            boolean text = false;
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                boolean type = json.currentName().equals("type");
                json.nextToken();
                text |= type && "text".equals(json.getText());
                json.skipChildren();
            }
            return text;
        }

        StreamRequest result() {
            return new StreamRequest(
                    chat,
                    chat && maxCompletionTokens.isPresent() ? maxCompletionTokens : maxTokens,
                    minTokens,
                    seed,
                    stop,
                    includeStop,
                    includeUsage,
                    returnTokenIds,
                    tools,
                    logprobs,
                    ineligible);
        }
    }
}
