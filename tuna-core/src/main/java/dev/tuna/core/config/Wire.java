package dev.tuna.core.config;

import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.api.StoreException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.function.Function;

/**
 * Records as JSON, both ways and without loss, for another process or the store: keys are the component names, times and durations ISO 8601,
 * amounts keep their digits, an empty part is {@code null}. A secret is {@code ***}, so that none travels by accident.
 */
public final class Wire {

    /** Reads and writes as this class says. */
    public static final JsonMapper MAPPER = JsonMapper.builder()
            .addModule(new Jdk8Module())
            .addModule(new SimpleModule()
                    .addSerializer(Instant.class, ToStringSerializer.instance)
                    .addDeserializer(Instant.class, text(Instant::parse))
                    .addSerializer(Duration.class, ToStringSerializer.instance)
                    .addDeserializer(Duration.class, text(Duration::parse))
                    .addSerializer(LocalDate.class, ToStringSerializer.instance)
                    .addDeserializer(LocalDate.class, text(LocalDate::parse))
                    .addSerializer(Secret.class, ToStringSerializer.instance)
                    .addSerializer(DeployRequest.class, new RequestWriter())
                    .addDeserializer(DeployRequest.class, new RequestReader()))
            .visibility(PropertyAccessor.GETTER, Visibility.NONE)
            .visibility(PropertyAccessor.IS_GETTER, Visibility.NONE)
            .visibility(PropertyAccessor.FIELD, Visibility.ANY)
            // A later version may tell more.
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    private Wire() {}

    /**
     * Writes a record.
     *
     * @param value a record, or a collection of records
     * @return on one line
     */
    public static String write(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (IOException e) {
            throw new IllegalStateException("cannot write " + value.getClass().getSimpleName() + " as JSON", e);
        }
    }

    /**
     * Reads what another process handed over.
     *
     * @param json from {@link #write}
     * @param type of what was written
     * @param <T> the same
     * @return an equal record
     * @throws ConfigurationException {@code INVALID_REQUEST} if it is not what was written
     */
    public static <T> T read(String json, Class<T> type) {
        try {
            return MAPPER.readValue(json, type);
        } catch (IOException | RuntimeException e) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "what was handed over is no " + type.getSimpleName() + ": "
                            + e.getClass().getSimpleName() + "; use the same version of Tuna in both processes");
        }
    }

    /**
     * Reads what was stored.
     *
     * @param json from {@link #write}
     * @param type of what was written
     * @param where what to call it in errors
     * @param <T> the same
     * @return an equal record
     * @throws StoreException {@code STORE_CORRUPT} if it is not what was written
     */
    public static <T> T stored(String json, TypeReference<T> type, String where) {
        try {
            return MAPPER.readValue(json, type);
        } catch (IOException | RuntimeException e) {
            throw RequestJson.corrupt(where, e.getClass().getSimpleName(), e);
        }
    }

    private static <T> JsonDeserializer<T> text(Function<String, T> parse) {
        return new JsonDeserializer<>() {
            @Override
            public T deserialize(JsonParser json, DeserializationContext context) throws IOException {
                return parse.apply(json.getText());
            }
        };
    }

    private static final class RequestWriter extends JsonSerializer<DeployRequest> {
        @Override
        public void serialize(DeployRequest value, JsonGenerator json, SerializerProvider provider) throws IOException {
            json.writeRawValue(RequestJson.write(value));
        }
    }

    private static final class RequestReader extends JsonDeserializer<DeployRequest> {
        @Override
        public DeployRequest deserialize(JsonParser json, DeserializationContext context) throws IOException {
            return RequestJson.read(json.readValueAsTree().toString(), "a request");
        }
    }
}
