package dev.tuna.provider.support;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tuna.api.Secret;
import dev.tuna.spi.Credential;
import dev.tuna.spi.ProviderContext;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.DoubleSupplier;

/**
 * A provider's JSON API over HTTP.
 *
 * <pre>{@code
 * JsonApi api = JsonApi.builder("acme", URI.create("https://api.acme.example"), context)
 *         .credential(Credential.bearer(key))
 *         .build();
 * JsonNode made = api.post("create endpoint", "/v1/endpoints").json(body).idempotent().send();
 * Optional<JsonNode> seen = api.get("read endpoint", "/v1/endpoints/{}", id).sendUnlessMissing();
 * }</pre>
 *
 * <p>Calls block. What fails in passing is tried again as {@link RetryPolicy} says, but nothing that may have taken effect
 * is sent twice unless the call is idempotent. Debug logs tell method, host, path, status and time; headers, queries and
 * bodies are never logged. Immutable and thread-safe; it owns nothing that would have to be closed.
 */
public final class JsonApi {

    /** How long one attempt may take by default, from connecting to the last byte of the answer. */
    public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(20);

    /** How large an answer may be by default: 8 MiB. */
    public static final long DEFAULT_MAX_RESPONSE_BYTES = 8L << 20;

    /** Vendors add fields without notice. */
    static final ObjectMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .addModule(SecretSerializer.MODULE)
            .build();

    private final String provider;
    private final URI baseUrl;
    private final HttpClient http;
    private final InstantSource clock;
    private final List<Credential> credentials;
    private final List<Secret> knownSecrets;
    private final Duration timeout;
    private final long maxResponseBytes;
    private final RetryPolicy retry;
    private final ErrorMapping errors;
    private final Sleeper sleeper;
    private final DoubleSupplier random;

    private JsonApi(Builder builder) {
        provider = builder.provider;
        baseUrl = builder.baseUrl;
        http = builder.http;
        clock = builder.clock;
        credentials = List.copyOf(builder.credentials);
        knownSecrets = List.copyOf(builder.knownSecrets);
        timeout = builder.timeout;
        maxResponseBytes = builder.maxResponseBytes;
        retry = builder.retry;
        errors = builder.errors;
        sleeper = builder.sleeper;
        random = builder.random;
    }

    /**
     * Begins to describe an API.
     *
     * @param provider the provider's name, for errors and logs
     * @param baseUrl {@code http} or {@code https}; the calls' paths are appended to its path
     * @param context gives the HTTP client (whose connect timeout holds and which should not follow redirects, since a
     *     redirect could carry the credential elsewhere) and the clock
     * @return a builder with every default set
     * @throws IllegalArgumentException if the URL has another scheme, no host, or a query
     */
    public static Builder builder(String provider, URI baseUrl, ProviderContext context) {
        return new Builder(provider, baseUrl, context);
    }

    /**
     * A GET; idempotent.
     *
     * @param operation a short verb phrase for errors, for instance {@code read endpoint}
     * @param path starts with {@code /}; each <code>{}</code> stands for one argument, which is percent-encoded
     * @param arguments as many as the path has places
     * @return the call, to be completed and sent
     * @throws IllegalArgumentException if path and arguments do not match, or an argument is empty, {@code .} or
     *     {@code ..}
     */
    public JsonCall get(String operation, String path, Object... arguments) {
        return new JsonCall(this, "GET", operation, Urls.path(path, arguments), true);
    }

    /**
     * A PUT; idempotent. Parameters and errors as for {@link #get}.
     *
     * @param operation a short verb phrase for errors
     * @param path starts with {@code /}; each <code>{}</code> stands for one argument
     * @param arguments as many as the path has places
     * @return the call, to be completed and sent
     */
    public JsonCall put(String operation, String path, Object... arguments) {
        return new JsonCall(this, "PUT", operation, Urls.path(path, arguments), true);
    }

    /**
     * A DELETE; idempotent. Parameters and errors as for {@link #get}.
     *
     * @param operation a short verb phrase for errors
     * @param path starts with {@code /}; each <code>{}</code> stands for one argument
     * @param arguments as many as the path has places
     * @return the call, to be completed and sent
     */
    public JsonCall delete(String operation, String path, Object... arguments) {
        return new JsonCall(this, "DELETE", operation, Urls.path(path, arguments), true);
    }

    /**
     * A POST; not idempotent unless {@linkplain JsonCall#idempotent() marked so}. Parameters and errors as for
     * {@link #get}.
     *
     * @param operation a short verb phrase for errors
     * @param path starts with {@code /}; each <code>{}</code> stands for one argument
     * @param arguments as many as the path has places
     * @return the call, to be completed and sent
     */
    public JsonCall post(String operation, String path, Object... arguments) {
        return new JsonCall(this, "POST", operation, Urls.path(path, arguments), false);
    }

    /**
     * A PATCH; not idempotent unless {@linkplain JsonCall#idempotent() marked so}. Parameters and errors as for
     * {@link #get}.
     *
     * @param operation a short verb phrase for errors
     * @param path starts with {@code /}; each <code>{}</code> stands for one argument
     * @param arguments as many as the path has places
     * @return the call, to be completed and sent
     */
    public JsonCall patch(String operation, String path, Object... arguments) {
        return new JsonCall(this, "PATCH", operation, Urls.path(path, arguments), false);
    }

    String provider() {
        return provider;
    }

    URI baseUrl() {
        return baseUrl;
    }

    HttpClient http() {
        return http;
    }

    InstantSource clock() {
        return clock;
    }

    List<Credential> credentials() {
        return credentials;
    }

    List<Secret> knownSecrets() {
        return knownSecrets;
    }

    Duration timeout() {
        return timeout;
    }

    long maxResponseBytes() {
        return maxResponseBytes;
    }

    RetryPolicy retry() {
        return retry;
    }

    ErrorMapping errors() {
        return errors;
    }

    Sleeper sleeper() {
        return sleeper;
    }

    double nextRandom() {
        return random.getAsDouble();
    }

    /** Describes a {@link JsonApi}. Not thread-safe. */
    public static final class Builder {
        private final String provider;
        private final URI baseUrl;
        private final HttpClient http;
        private final InstantSource clock;
        private final List<Credential> credentials = new ArrayList<>();
        private final List<Secret> knownSecrets = new ArrayList<>();
        private Duration timeout = DEFAULT_TIMEOUT;
        private long maxResponseBytes = DEFAULT_MAX_RESPONSE_BYTES;
        private RetryPolicy retry = RetryPolicy.DEFAULT;
        private ErrorMapping errors = ErrorMapping.BY_STATUS;
        private Sleeper sleeper = Sleeper.REAL;
        private DoubleSupplier random = () -> ThreadLocalRandom.current().nextDouble();

        private Builder(String provider, URI baseUrl, ProviderContext context) {
            this.provider = Objects.requireNonNull(provider, "provider");
            this.baseUrl = Urls.base(baseUrl);
            this.http = context.http();
            this.clock = context.clock();
        }

        /**
         * Adds a header that every call carries unless it brings its own; default none.
         *
         * @param credential header and value
         * @return this
         */
        public Builder credential(Credential credential) {
            credentials.add(Objects.requireNonNull(credential, "credential"));
            return this;
        }

        /**
         * Further secrets that the provider might echo; what calls carry as {@link Secret} is known anyway.
         *
         * @param secrets values to hide in every quoted body
         * @return this
         */
        public Builder redact(Collection<Secret> secrets) {
            knownSecrets.addAll(secrets);
            return this;
        }

        /**
         * How long one attempt may take, from connecting to the last byte of the answer; default
         * {@link #DEFAULT_TIMEOUT}.
         *
         * @param timeout longer than zero
         * @return this
         */
        public Builder timeout(Duration timeout) {
            this.timeout = positive(timeout);
            return this;
        }

        /**
         * How large an answer may be; default {@link #DEFAULT_MAX_RESPONSE_BYTES}.
         *
         * @param bytes 1 or more
         * @return this
         */
        public Builder maxResponseBytes(long bytes) {
            if (bytes < 1) {
                throw new IllegalArgumentException("maxResponseBytes is " + bytes + " but must be 1 or more");
            }
            this.maxResponseBytes = bytes;
            return this;
        }

        /**
         * How failures are tried again; default {@link RetryPolicy#DEFAULT}.
         *
         * @param retry the policy
         * @return this
         */
        public Builder retry(RetryPolicy retry) {
            this.retry = Objects.requireNonNull(retry, "retry");
            return this;
        }

        /**
         * What the provider's error answers mean; default {@link ErrorMapping#BY_STATUS}.
         *
         * @param errors the mapping
         * @return this
         */
        public Builder errors(ErrorMapping errors) {
            this.errors = Objects.requireNonNull(errors, "errors");
            return this;
        }

        /**
         * How to wait between attempts; default {@link Sleeper#REAL}.
         *
         * @param sleeper the way to wait
         * @return this
         */
        public Builder sleeper(Sleeper sleeper) {
            this.sleeper = Objects.requireNonNull(sleeper, "sleeper");
            return this;
        }

        /**
         * Where jitter comes from; default a source of its own for each thread.
         *
         * @param random gives numbers from 0 (inclusive) to 1 (exclusive), thread-safe
         * @return this
         */
        public Builder random(DoubleSupplier random) {
            this.random = Objects.requireNonNull(random, "random");
            return this;
        }

        /**
         * Makes the API.
         *
         * @return the API
         */
        public JsonApi build() {
            return new JsonApi(this);
        }
    }

    static Duration positive(Duration timeout) {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout is " + timeout + " but must be longer than zero");
        }
        return timeout;
    }
}
