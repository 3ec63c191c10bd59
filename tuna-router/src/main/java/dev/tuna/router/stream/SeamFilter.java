package dev.tuna.router.stream;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Rewrites the chunks of a continued stream so that they are the rest of the first one: its {@code id}, {@code created} and
 * {@code model}, no second role, usage that adds up, no field that the client did not ask for, and for chats that go on at
 * the completions endpoint the shape of a chat. Confined to one stream.
 */
public final class SeamFilter {

    /**
     * A chunk, rewritten.
     *
     * @param event the whole event
     * @param shown whether it carries something to show
     */
    @SuppressWarnings("ArrayRecordComponent") // written out, never compared
    public record Chunk(byte[] event, boolean shown) {}

    /** How much of a stream's first event says what all of its events have in common, and has to be kept. */
    public static final int HEAD_BYTES = 512;

    /** What every chunk of a stream has in common. */
    private record Head(String id, long created, String model) {
        private static final Head NONE = new Head("", 0, "");
    }

    private final StreamRequest asked;
    private final Head head;
    private final int promptTokens;
    private final int before;
    private final Optional<StopSearch> stops;
    private int textLength;

    /**
     * Joins one more stream to the first.
     *
     * @param asked what the client asked for
     * @param firstEvent the first event of the first stream, or its first {@link #HEAD_BYTES}
     * @param promptTokens how many tokens the client's prompt has
     * @param before how many tokens had been generated before the seam
     * @param textLength how much text the client has got before the seam, in code points; matters for completions with log
     *     probabilities, which tell where in the text each token begins
     * @param stops looks for stop strings, if that is left to the router
     */
    public SeamFilter(
            StreamRequest asked,
            byte[] firstEvent,
            int promptTokens,
            int before,
            int textLength,
            Optional<StopSearch> stops) {
        this.asked = asked;
        this.head = head(firstEvent).orElse(Head.NONE);
        this.promptTokens = promptTokens;
        this.before = before;
        this.textLength = textLength;
        this.stops = stops;
    }

    /**
     * Whether the router has found a stop string: then the stream is at its end, whatever the backend still says.
     *
     * @return true behind the chunk that says so
     */
    public boolean isStopped() {
        return stops.isPresent() && stops.get().found().isPresent();
    }

    /**
     * Rewrites an event.
     *
     * @param event a whole event whose data is a JSON object, {@code data: …} and its blank line
     * @param finish whether it ends the choice
     * @param generated how many tokens have been generated, this chunk's included
     * @return what the client gets
     */
    public Chunk rewrite(byte[] event, boolean finish, int generated) {
        Copy copy = new Copy(finish, generated);
        int from = dataOf(event);
        byte[] rewritten = framed(event.length + 64, to -> {
            try (JsonParser json = StreamRequest.JSON.createParser(event, from, event.length - from)) {
                json.nextToken();
                copy.root(json, to);
            }
        });
        return new Chunk(rewritten, copy.shown);
    }

    /**
     * The last chunk of the choice, for an answer that is as long as it may be.
     *
     * @return a whole event
     */
    public byte[] lengthReached() {
        return event(json -> {
            json.writeArrayFieldStart("choices");
            json.writeStartObject();
            json.writeNumberField("index", 0);
            text(json, "");
            json.writeNullField("logprobs");
            json.writeStringField("finish_reason", "length");
            json.writeNullField("stop_reason");
            json.writeEndObject();
            json.writeEndArray();
        });
    }

    /**
     * The usage chunk.
     *
     * @param generated how many tokens have been generated in all
     * @return a whole event
     */
    public byte[] usage(int generated) {
        return event(json -> {
            json.writeArrayFieldStart("choices");
            json.writeEndArray();
            usage(json, promptTokens, generated);
        });
    }

    private byte[] event(Fields more) {
        return framed(256, json -> {
            json.writeStartObject();
            json.writeStringField("id", head.id);
            json.writeStringField("object", object());
            json.writeNumberField("created", head.created);
            json.writeStringField("model", head.model);
            more.write(json);
            json.writeEndObject();
        });
    }

    private static byte[] framed(int size, Fields object) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(size);
        bytes.writeBytes("data: ".getBytes(StandardCharsets.US_ASCII));
        try {
            JsonGenerator json = StreamRequest.JSON.createGenerator(bytes);
            object.write(json);
            json.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("a chunk that was well-formed no longer is", e);
        }
        bytes.writeBytes("\n\n".getBytes(StandardCharsets.US_ASCII));
        return bytes.toByteArray();
    }

    private String object() {
        return asked.chat() ? "chat.completion.chunk" : "text_completion";
    }

    private void text(JsonGenerator json, String text) throws IOException {
        if (asked.chat()) {
            json.writeObjectFieldStart("delta");
            json.writeStringField("content", text);
            json.writeEndObject();
        } else {
            json.writeStringField("text", text);
        }
    }

    private static void usage(JsonGenerator json, int prompt, int generated) throws IOException {
        json.writeObjectFieldStart("usage");
        json.writeNumberField("prompt_tokens", prompt);
        json.writeNumberField("total_tokens", prompt + generated);
        json.writeNumberField("completion_tokens", generated);
        json.writeEndObject();
    }

    /** Empty if it cannot be read as far as it matters, which is the beginning. */
    private static Optional<Head> head(byte[] event) {
        String id = "";
        long created = 0;
        String model = "";
        int missing = 3;
        int from = dataOf(event);
        try (JsonParser json = StreamRequest.JSON.createParser(event, from, event.length - from)) {
            json.nextToken();
            while (missing > 0 && json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                json.nextToken();
                missing--;
                switch (name) {
                    case "id" -> id = json.getText();
                    case "created" -> created = json.getValueAsLong();
                    case "model" -> model = json.getText();
                    default -> {
                        missing++;
                        json.skipChildren();
                    }
                }
            }
            return Optional.of(new Head(id, created, model));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /**
     * Whether an event can say what all of a stream have in common.
     *
     * @param event the beginning of an event
     * @return false for one without data, such as a ping
     */
    public static boolean hasData(byte[] event) {
        return dataOf(event) < event.length;
    }

    /**
     * Whether an event says what all of a stream have in common.
     *
     * @param event the beginning of an event
     * @return false if that cannot be read
     */
    public static boolean tellsHead(byte[] event) {
        return head(event).isPresent();
    }

    /** Where the JSON begins. */
    static int dataOf(byte[] event) {
        int at = 0;
        while (at < event.length && event[at] != '{') {
            at++;
        }
        return at;
    }

    /** One chunk on its way through. */
    private final class Copy {
        private final boolean finish;
        private final int generated;
        private boolean shown;

        Copy(boolean finish, int generated) {
            this.finish = finish;
            this.generated = generated;
        }

        void root(JsonParser from, JsonGenerator to) throws IOException {
            to.writeStartObject();
            while (from.nextToken() == JsonToken.FIELD_NAME) {
                String name = from.currentName();
                JsonToken value = from.nextToken();
                switch (name) {
                    case "id" -> to.writeStringField(name, head.id);
                    case "object" -> to.writeStringField(name, object());
                    case "created" -> to.writeNumberField(name, head.created);
                    case "model" -> to.writeStringField(name, head.model);
                    case "prompt_token_ids" -> from.skipChildren();
                    case "choices" -> {
                        if (value == JsonToken.START_ARRAY) {
                            choices(from, to);
                        } else {
                            copy(name, from, to);
                        }
                    }
                    case "usage" -> {
                        if (value == JsonToken.START_OBJECT) {
                            Told told = Told.of(from);
                            int prompt = promptTokens > 0 ? promptTokens : told.prompt();
                            usage(to, prompt, before + told.completion());
                        } else {
                            to.writeNullField(name);
                        }
                    }
                    default -> copy(name, from, to);
                }
            }
            to.writeEndObject();
        }

        private void choices(JsonParser from, JsonGenerator to) throws IOException {
            to.writeArrayFieldStart("choices");
            for (JsonToken item = from.nextToken(); item != JsonToken.END_ARRAY; item = from.nextToken()) {
                if (item == JsonToken.START_OBJECT) {
                    choice(from, to);
                } else {
                    to.copyCurrentStructure(from); // whatever that is, it ends
                }
            }
            to.writeEndArray();
        }

        private void choice(JsonParser from, JsonGenerator to) throws IOException {
            int offset = textLength;
            to.writeStartObject();
            while (from.nextToken() == JsonToken.FIELD_NAME) {
                String name = from.currentName();
                JsonToken value = from.nextToken();
                switch (name) {
                    case "delta" -> {
                        if (value == JsonToken.START_OBJECT) {
                            delta(from, to);
                        } else {
                            copy(name, from, to);
                        }
                    }
                    case "text" -> {
                        if (value == JsonToken.VALUE_STRING) {
                            String visible = searched(from.getText());
                            textLength += visible.codePointCount(0, visible.length());
                            text(to, visible);
                        } else {
                            copy(name, from, to);
                        }
                    }
                    case "logprobs" -> {
                        if (value == JsonToken.START_OBJECT) {
                            logprobs(from, to, offset);
                        } else {
                            copy(name, from, to);
                        }
                    }
                    case "prompt_token_ids", "prompt_logprobs" -> from.skipChildren();
                    case "token_ids" -> {
                        if (asked.returnTokenIds()) {
                            copy(name, from, to);
                        } else {
                            from.skipChildren();
                        }
                    }
                    case "finish_reason" -> {
                        if (isStopped()) {
                            to.writeStringField(name, "stop");
                            to.writeStringField(
                                    "stop_reason",
                                    stops.flatMap(StopSearch::found).orElse(""));
                        } else {
                            copy(name, from, to);
                        }
                    }
                    case "stop_reason" -> {
                        if (!isStopped()) {
                            copy(name, from, to);
                        }
                    }
                    default -> copy(name, from, to);
                }
            }
            to.writeEndObject();
        }

        private void logprobs(JsonParser from, JsonGenerator to, int offset) throws IOException {
            to.writeObjectFieldStart("logprobs");
            while (from.nextToken() == JsonToken.FIELD_NAME) {
                String name = from.currentName();
                if (from.nextToken() == JsonToken.START_ARRAY && name.equals("text_offset")) {
                    offsets(from, to, offset);
                } else {
                    copy(name, from, to);
                }
            }
            to.writeEndObject();
        }

        /** The chunk's first token begins where the text ends that the client has got, which only the router knows. */
        private void offsets(JsonParser from, JsonGenerator to, int offset) throws IOException {
            OptionalInt shift = OptionalInt.empty();
            to.writeArrayFieldStart("text_offset");
            while (from.nextToken() != JsonToken.END_ARRAY) {
                if (from.currentToken() == JsonToken.VALUE_NUMBER_INT) {
                    shift = shift.isPresent() ? shift : OptionalInt.of(offset - from.getIntValue());
                    to.writeNumber(from.getIntValue() + shift.getAsInt());
                } else {
                    to.copyCurrentStructure(from);
                }
            }
            to.writeEndArray();
        }

        private void delta(JsonParser from, JsonGenerator to) throws IOException {
            boolean searched = false;
            to.writeObjectFieldStart("delta");
            while (from.nextToken() == JsonToken.FIELD_NAME) {
                String name = from.currentName();
                JsonToken value = from.nextToken();
                if (name.equals("content") && value == JsonToken.VALUE_STRING) {
                    searched = true;
                    to.writeStringField(name, searched(from.getText()));
                } else if (!name.equals("role")) {
                    shown |= value == JsonToken.VALUE_STRING && from.getTextLength() > 0;
                    shown |= value.isStructStart();
                    copy(name, from, to);
                }
            }
            if (finish && stops.isPresent() && !searched) {
                to.writeStringField("content", searched("")); // what was held back
            }
            to.writeEndObject();
        }

        private String searched(String text) {
            String visible = stops.isPresent() ? stops.get().add(text, generated > asked.minTokens(), finish) : text;
            shown |= !visible.isEmpty();
            return visible;
        }

        private static void copy(String name, JsonParser from, JsonGenerator to) throws IOException {
            to.writeFieldName(name);
            to.copyCurrentStructure(from);
        }
    }

    /** What a server says of its own part. */
    private record Told(int prompt, int completion) {

        static Told of(JsonParser from) throws IOException {
            int prompt = 0;
            int completion = 0;
            while (from.nextToken() == JsonToken.FIELD_NAME) {
                String name = from.currentName();
                from.nextToken();
                prompt = name.equals("prompt_tokens") ? from.getValueAsInt() : prompt;
                completion = name.equals("completion_tokens") ? from.getValueAsInt() : completion;
                from.skipChildren();
            }
            return new Told(prompt, completion);
        }
    }
}
