package dev.tuna.router.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What the router needs to know of a request's body, found in one pass without building it in memory. Immutable.
 *
 * <p>Model servers take the last of several equal keys; others the first. So that nobody is routed by one model and served
 * by another, a repeated {@code model} or {@code stream} is refused.
 *
 * @param model the model that the request asks for
 * @param stream whether it asks for a stream of events
 * @param choices how many choices its answer has: {@code n} for each of its prompts; at least 1
 * @param internals whether it has fields that are for servers among themselves, to be removed with
 *     {@link #withoutInternals}
 * @param conversation a number that all requests of one conversation have in common and other conversations hardly share:
 *     made of {@code messages} up to the end of the first one by a user, or of the first KiB of {@code prompt}; empty if
 *     there is neither
 */
public record RequestBody(String model, boolean stream, int choices, boolean internals, OptionalLong conversation) {

    /** Fields by which model servers hand over caches: whoever sets them can read what is not his. */
    private static final Set<String> INTERNALS = Set.of("kv_transfer_params", "ec_transfer_params");

    private static final int MOST_CHOICES = SseScanner.MOST_CHOICES;
    private static final int DEEPEST = 500;

    /** Images come as strings of any length; the listener bounds the body as a whole. */
    private static final JsonFactory JSON = new JsonFactoryBuilder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(DEEPEST)
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build();

    /** Checks that the model is there. */
    public RequestBody {
        Objects.requireNonNull(model, "model");
        Objects.requireNonNull(conversation, "conversation");
    }

    /**
     * Scans a body.
     *
     * @param body the whole body; its indices are not moved
     * @param contentType the request's {@code Content-Type}; empty if it has none. {@code multipart/form-data} is read as
     *     such, everything else as JSON
     * @return what was found
     * @throws RefusedException 400 if it is malformed or does not name one model
     */
    public static RequestBody scan(ByteBuf body, String contentType) throws RefusedException {
        if (!body.isReadable()) {
            throw refused(OpenAiError.badRequest("empty_body", "The request has no body; a JSON object is needed."));
        }
        return contentType.toLowerCase(Locale.ROOT).startsWith("multipart/form-data")
                ? MultipartForm.scan(body, contentType)
                : scanJson(body);
    }

    /**
     * A JSON body without the fields that are for servers among themselves; otherwise byte for byte the same.
     *
     * @param body a body that {@link #scan} has accepted; its indices are not moved
     * @return a new buffer
     */
    public static ByteBuf withoutInternals(ByteBuf body) {
        ByteBuf kept = Unpooled.buffer(body.readableBytes());
        kept.writeByte('{');
        try (JsonParser json = parser(body)) {
            json.nextToken();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                boolean internal = INTERNALS.contains(json.currentName());
                int from = (int) json.currentTokenLocation().getByteOffset();
                json.nextToken();
                json.skipChildren();
                json.finishToken();
                int to = (int) json.currentLocation().getByteOffset();
                if (!internal) {
                    if (kept.writerIndex() > 1) {
                        kept.writeByte(',');
                    }
                    kept.writeBytes(body, body.readerIndex() + from, to - from);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("a body that was readable no longer is", e);
        }
        return kept.writeByte('}');
    }

    static RefusedException refused(OpenAiError error) {
        return new RefusedException(error);
    }

    static RefusedException noModel() {
        return refused(OpenAiError.badField(
                "model",
                "missing_model",
                "The request does not say which model it is for; set 'model' to one of those"
                        + " listed by GET /v1/models."));
    }

    static RefusedException repeated(String field) {
        return refused(OpenAiError.badField(
                field, "repeated_field", "'" + field + "' is there more than once, so the request is ambiguous."));
    }

    private static RequestBody scanJson(ByteBuf body) throws RefusedException {
        refuseOtherEncodings(body);
        try (JsonParser json = parser(body)) {
            return new JsonScan(json, new ConversationHash(json, body)).scan();
        } catch (StreamConstraintsException e) {
            throw refused(OpenAiError.badRequest(
                    "json_too_complex",
                    "The body is nested deeper than " + DEEPEST + " levels or has an absurdly long name or number."));
        } catch (JsonProcessingException e) {
            throw refused(OpenAiError.badRequest(
                    "invalid_json",
                    "The body is not valid JSON, as seen at byte "
                            + e.getLocation().getByteOffset() + "."));
        } catch (IOException e) {
            throw refused(OpenAiError.badRequest("invalid_json", "The body is not valid UTF-8."));
        }
    }

    /** Byte offsets and model servers both count on UTF-8. */
    private static void refuseOtherEncodings(ByteBuf body) throws RefusedException {
        int start = body.readerIndex();
        int first = body.getUnsignedByte(start);
        int second = body.readableBytes() > 1 ? body.getUnsignedByte(start + 1) : ' ';
        boolean unicodeMark = first >= 0xEF;
        if (first == 0 || second == 0 || unicodeMark || (first == 0x1F && second == 0x8B)) {
            throw refused(OpenAiError.badRequest(
                    "invalid_encoding",
                    "The body must be plain UTF-8 JSON: not compressed, no UTF-16 or UTF-32, no byte order mark."));
        }
    }

    private static JsonParser parser(ByteBuf body) throws IOException {
        return JSON.createParser((InputStream) new ByteBufInputStream(body.duplicate()));
    }

    /** One pass over a JSON body. */
    private static final class JsonScan {

        private final JsonParser json;
        private final ConversationHash conversation;
        private String model = "";
        private boolean modelSeen;
        private boolean stream;
        private boolean streamSeen;
        private int n = 1;
        private int prompts = 1;
        private boolean internals;

        JsonScan(JsonParser json, ConversationHash conversation) {
            this.json = json;
            this.conversation = conversation;
        }

        RequestBody scan() throws IOException, RefusedException {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw refused(OpenAiError.badRequest("invalid_json", "The body must be a JSON object."));
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                conversation.fieldEnded();
                field(json.currentName(), json.nextToken());
                json.skipChildren();
            }
            conversation.fieldEnded();
            if (json.nextToken() != null) {
                throw refused(OpenAiError.badRequest("invalid_json", "There is something behind the JSON object."));
            }
            if (!modelSeen) {
                throw noModel();
            }
            int choices = (int) Math.min(MOST_CHOICES, (long) n * prompts);
            return new RequestBody(model, stream, choices, internals, conversation.value());
        }

        private void field(String name, JsonToken value) throws IOException, RefusedException {
            switch (name) {
                case "model" -> model(value);
                case "stream" -> stream(value);
                case "n" ->
                    n = value.isNumeric() ? Math.max(1, Math.min(MOST_CHOICES, (int) json.getDoubleValue())) : 1;
                case "prompt" -> {
                    conversation.promptBegins();
                    prompts = value == JsonToken.START_ARRAY ? countPrompts() : 1;
                }
                case "messages" -> {
                    if (value == JsonToken.START_ARRAY) {
                        conversation.messages();
                    }
                }
                default -> internals |= INTERNALS.contains(name);
            }
        }

        private void model(JsonToken value) throws IOException, RefusedException {
            if (modelSeen) {
                throw repeated("model");
            }
            if (value != JsonToken.VALUE_STRING) {
                throw refused(OpenAiError.badField(
                        "model",
                        "invalid_model",
                        "'model' must be a string that names one of those listed by GET" + " /v1/models."));
            }
            modelSeen = true;
            model = json.getText();
        }

        /** Model servers take "true" and 1 for true, so anything but a boolean could be understood in two ways. */
        private void stream(JsonToken value) throws RefusedException {
            if (streamSeen) {
                throw repeated("stream");
            }
            if (!value.isBoolean() && value != JsonToken.VALUE_NULL) {
                throw refused(OpenAiError.badField("stream", "invalid_stream", "'stream' must be true or false."));
            }
            streamSeen = true;
            stream = value == JsonToken.VALUE_TRUE;
        }

        /** A list of strings or of lists is several prompts, a list of token ids is one. */
        private int countPrompts() throws IOException {
            int count = 0;
            for (JsonToken item = json.nextToken(); item != JsonToken.END_ARRAY; item = json.nextToken()) {
                count += item.isNumeric() ? 0 : 1;
                json.skipChildren();
            }
            return Math.max(1, Math.min(MOST_CHOICES, count));
        }
    }
}
