package dev.tuna.testkit.cloud.model;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.FromStringDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import com.fasterxml.jackson.databind.util.TokenBuffer;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import dev.tuna.api.Secret;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The cloud's records as JSON: components by name; durations and instants in ISO 8601; prices as text; map
 * entries in the order of their keys; absent parts are null or missing;
 * a key that is not known is an error. Secrets are written in the clear, so only requests to the cloud may hold any.
 */
public final class CloudJson {

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .addModule(new Jdk8Module())
            .addModule(new SimpleModule()
                    .addSerializer(Duration.class, ToStringSerializer.instance)
                    .addDeserializer(Duration.class, new Text<>(Duration.class, Duration::parse))
                    .addSerializer(Instant.class, ToStringSerializer.instance)
                    .addDeserializer(Instant.class, new Text<>(Instant.class, Instant::parse))
                    // As text, so that a reader that knows only doubles changes nothing.
                    .addSerializer(BigDecimal.class, ToStringSerializer.instance)
                    .addSerializer(Secret.class, new Reveal())
                    .addDeserializer(Secret.class, new Text<>(Secret.class, Secret::of)))
            .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    private CloudJson() {}

    /**
     * Writes a value.
     *
     * @param value a record, or a collection or map of such
     * @return JSON on one line
     */
    public static String write(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(value.getClass() + " cannot be written", e);
        }
    }

    /**
     * A value as a tree, in which secrets are still {@link Secret} objects, to be written by whoever sends it.
     *
     * @param value a record, or a collection or map of such
     * @return the tree
     */
    public static JsonNode tree(Object value) {
        return MAPPER.valueToTree(value);
    }

    /**
     * Reads a value.
     *
     * @param json what {@link #write} wrote, or a person
     * @param type what it is
     * @param <T> the same
     * @return the value
     * @throws IllegalArgumentException if it is not JSON, lacks a part or has one too many; the text names it
     */
    public static <T> T read(String json, Class<T> type) {
        return read(type.getSimpleName(), () -> MAPPER.readValue(json, type));
    }

    /**
     * Reads a value of a generic type.
     *
     * @param json what {@link #write} wrote
     * @param type what it is
     * @param <T> the same
     * @return the value
     * @throws IllegalArgumentException as {@link #read(String, Class)}
     */
    public static <T> T read(String json, TypeReference<T> type) {
        return read(type.getType().getTypeName(), () -> MAPPER.readValue(json, type));
    }

    /**
     * Reads an object some of whose parts may be missing.
     *
     * @param json what a person wrote
     * @param otherwise where missing parts come from
     * @param type what it is
     * @param <T> the same
     * @return the value
     * @throws IllegalArgumentException as {@link #read(String, Class)}
     */
    public static <T> T readOver(T otherwise, String json, Class<T> type) {
        ObjectNode whole = MAPPER.valueToTree(otherwise);
        whole.setAll(read(json, ObjectNode.class));
        return read(whole.toString(), type);
    }

    private interface Parsing<T> {
        @Nullable
        T parse() throws JsonProcessingException;
    }

    private static <T> T read(String what, Parsing<T> parsing) {
        try {
            T value = parsing.parse();
            if (value == null) {
                throw new IllegalArgumentException("null is no " + what);
            }
            return value;
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    what + field(e) + ": " + e.getOriginalMessage() + place(e.getLocation()));
        }
    }

    private static String field(JsonProcessingException e) {
        return e instanceof JsonMappingException mapping
                ? mapping.getPath().stream()
                        .map(step ->
                                step.getFieldName() == null ? "[" + step.getIndex() + "]" : "." + step.getFieldName())
                        .collect(Collectors.joining())
                : "";
    }

    /** Line and column only: the exception itself quotes its source, which may hold a secret, so it is no cause either. */
    private static String place(@Nullable JsonLocation at) {
        return at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr();
    }

    private static final class Text<T> extends FromStringDeserializer<T> {
        private final transient Function<String, T> parse;

        Text(Class<T> type, Function<String, T> parse) {
            super(type);
            this.parse = parse;
        }

        @Override
        protected T _deserialize(String value, DeserializationContext context) {
            return parse.apply(value);
        }
    }

    private static final class Reveal extends JsonSerializer<Secret> {
        @Override
        public void serialize(Secret secret, JsonGenerator json, SerializerProvider provider) throws IOException {
            if (json instanceof TokenBuffer) {
                json.writeEmbeddedObject(secret);
            } else {
                json.writeString(secret.reveal());
            }
        }
    }
}
