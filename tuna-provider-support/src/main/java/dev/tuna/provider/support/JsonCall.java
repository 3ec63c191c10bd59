package dev.tuna.provider.support;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.spi.Credential;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One call of a {@link JsonApi}, described step by step and then sent. Not thread-safe; may be sent more than once.
 *
 * <p>Sending throws {@link ProviderException} with the code {@link ErrorCode#CREDENTIALS} for 401 and 403,
 * {@link ErrorCode#UNREACHABLE} if no answer came, {@link ErrorCode#PROVIDER_REFUSED} for other errors, or what the
 * API's {@link ErrorMapping} names; {@link dev.tuna.api.CapacityException} for capacity and quota. The message quotes
 * the answer without secrets. An interrupted call ends as unreachable and leaves the thread's interrupt flag set.
 */
public final class JsonCall {

    private final JsonApi api;
    private final String method;
    private final String operation;
    private final String path;
    private final StringBuilder query = new StringBuilder();
    private final Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    private final List<Secret> secrets = new ArrayList<>();
    private boolean idempotent;
    private Duration timeout;
    private byte @Nullable [] body;

    JsonCall(JsonApi api, String method, String operation, String path, boolean idempotent) {
        this.api = api;
        this.method = method;
        this.operation = operation;
        this.path = path;
        this.idempotent = idempotent;
        this.timeout = api.timeout();
        this.secrets.addAll(api.knownSecrets());
        api.credentials().forEach(this::credential);
    }

    /**
     * Adds a query parameter; a name may be repeated.
     *
     * @param name percent-encoded by this method
     * @param value percent-encoded by this method
     * @return this
     */
    public JsonCall query(String name, Object value) {
        query.append(query.isEmpty() ? '?' : '&')
                .append(Urls.encode(name))
                .append('=')
                .append(Urls.encode(value.toString()));
        return this;
    }

    /**
     * Sets a header.
     *
     * @param name header name
     * @param value its value, which is not a secret
     * @return this
     */
    public JsonCall header(String name, String value) {
        headers.put(name, value);
        return this;
    }

    /**
     * Sets a header whose value is a secret; it wins over one of the same name that comes with the API.
     *
     * @param credential header and value
     * @return this
     * @throws ConfigurationException if the value cannot stand in a header
     */
    public JsonCall credential(Credential credential) {
        headers.put(credential.header(), checked(credential));
        secrets.add(credential.value());
        return this;
    }

    /**
     * Names secrets that are not sent with this call but may stand in its answer, so that they are hidden where that is
     * quoted.
     *
     * @param more what to hide
     * @return this
     */
    public JsonCall redact(Collection<Secret> more) {
        secrets.addAll(more);
        return this;
    }

    /**
     * Sets the body.
     *
     * @param body a {@code JsonNode}, record, map or list; a {@link Secret} in it is sent as its value and hidden where
     *     the answer is quoted
     * @return this
     * @throws IllegalArgumentException if it cannot be written as JSON
     */
    public JsonCall json(Object body) {
        try {
            this.body = JsonApi.JSON
                    .writer()
                    .withAttribute(SecretSerializer.WRITTEN, secrets)
                    .writeValueAsBytes(body);
        } catch (JacksonException e) {
            // Without the cause, whose text may quote the value that could not be written.
            throw new IllegalArgumentException(
                    "the body of '" + operation + "', a " + body.getClass().getName() + ", cannot be written as JSON");
        }
        return this;
    }

    /**
     * Says that sending this call twice does no more than sending it once, so that it may be repeated although an
     * earlier attempt may have taken effect. GET, PUT and DELETE are idempotent anyway.
     *
     * @return this
     */
    public JsonCall idempotent() {
        idempotent = true;
        return this;
    }

    /**
     * Sets how long one attempt may take, from connecting to the last byte of the answer; default the API's.
     *
     * @param timeout longer than zero
     * @return this
     */
    public JsonCall timeout(Duration timeout) {
        this.timeout = JsonApi.positive(timeout);
        return this;
    }

    /**
     * Sends the call.
     *
     * @return the answer's body; a missing node if it is empty
     * @throws dev.tuna.api.TunaException as described above
     */
    public JsonNode send() {
        return exchange().send();
    }

    /**
     * Sends the call and reads the answer.
     *
     * @param <T> the answer's type
     * @param type a record whose components are the fields wanted; others are ignored
     * @return the answer's body
     * @throws dev.tuna.api.TunaException as described above; with {@link ErrorCode#PROVIDER_REFUSED} also if the body
     *     does not fit the type
     */
    public <T> T send(Class<T> type) {
        return convert(send(), type);
    }

    /**
     * Sends the call, for which "not found" is an answer like any other.
     *
     * @return the answer's body, a missing node if it is empty; empty if the provider answers 404
     * @throws dev.tuna.api.TunaException as described above
     */
    public Optional<JsonNode> sendUnlessMissing() {
        return exchange().sendUnlessMissing();
    }

    /**
     * Sends the call, for which "not found" is an answer like any other, and reads the answer.
     *
     * @param <T> the answer's type
     * @param type a record whose components are the fields wanted; others are ignored
     * @return the answer's body; empty if the provider answers 404
     * @throws dev.tuna.api.TunaException as for {@link #send(Class)}
     */
    public <T> Optional<T> sendUnlessMissing(Class<T> type) {
        return sendUnlessMissing().map(node -> convert(node, type));
    }

    /**
     * Sends the call, which is answered with server-sent events that need not end, and reads those that are there: up to
     * the first quarter of a second in which nothing comes, or to the timeout, whichever is first.
     *
     * @return the data of each event; empty if there are none in time, or the provider answers 404
     * @throws dev.tuna.api.TunaException as described above
     */
    public List<String> readEvents() {
        return EventStream.data(exchange("text/event-stream").readStream());
    }

    private Exchange exchange() {
        return exchange("application/json");
    }

    private Exchange exchange(String accepted) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(api.baseUrl() + path + query));
        request.header("Accept", accepted);
        byte[] content = body;
        if (content == null) {
            request.method(method, BodyPublishers.noBody());
        } else {
            request.method(method, BodyPublishers.ofByteArray(content)).header("Content-Type", "application/json");
        }
        headers.forEach(request::setHeader);
        return new Exchange(api, operation, request.build(), timeout, idempotent, Redaction.of(secrets));
    }

    /** The HTTP client would refuse a line break too, but its exception quotes the value. */
    private String checked(Credential credential) {
        String value = credential.value().reveal();
        if (value.chars().anyMatch(c -> c < ' ' || c > '~')) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "the secret that " + api.provider() + " is sent as header " + credential.header()
                            + " contains a line break or another character that a header cannot carry;"
                            + " store it again without");
        }
        return value;
    }

    private <T> T convert(JsonNode node, Class<T> type) {
        try {
            T value = JsonApi.JSON.treeToValue(node, type);
            if (value != null) {
                return value;
            }
        } catch (JsonMappingException e) {
            // Without the cause, whose text quotes values as they came.
            String field = e.getPath().stream()
                    .map(step -> step.getFieldName() == null ? "[" + step.getIndex() + "]" : step.getFieldName())
                    .collect(Collectors.joining("."));
            throw unreadable("the answer's field '" + field + "' is not as expected");
        } catch (JacksonException | IllegalArgumentException e) {
            throw unreadable("the answer is not a " + type.getSimpleName());
        }
        throw unreadable("the answer is empty");
    }

    private ProviderException unreadable(String message) {
        return ProviderException.of(api.provider(), operation).message(message).build();
    }
}
