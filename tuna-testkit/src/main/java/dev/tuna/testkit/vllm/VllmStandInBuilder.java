package dev.tuna.testkit.vllm;

import dev.tuna.api.Secret;
import dev.tuna.provider.support.vllm.VllmVersion;
import java.time.Duration;
import java.util.List;

/** Configures a {@link VllmStandIn}. Not thread-safe; may start several. */
public final class VllmStandInBuilder {

    private String host = "127.0.0.1";
    private int port;
    private String model = "stand-in/tiny";
    private List<String> servedNames = List.of();
    private List<Secret> apiKeys = List.of();
    private int maxModelLen = 4096;
    private String version = VllmVersion.CURRENT.toString();
    private Duration bootTime = Duration.ZERO;
    private Duration timeToFirstToken = Duration.ZERO;
    private double tokensPerSecond;
    private int capacity = 256;
    private Duration shutdownTimeout = Duration.ZERO;
    private Duration keepAliveInterval = Duration.ZERO;
    private boolean requestIdHeaders;
    private boolean honoursPromptTokenIds = true;
    private boolean reasoning;
    private int keepRequests = 10_000;

    VllmStandInBuilder() {}

    /**
     * The address to bind; default {@code 127.0.0.1}.
     *
     * @param host a numeric address or name of this machine
     * @return this
     */
    public VllmStandInBuilder host(String host) {
        this.host = host;
        return this;
    }

    /**
     * The port; default 0, any free one.
     *
     * @param port 0 to 65535
     * @return this
     */
    public VllmStandInBuilder port(int port) {
        this.port = inRange("port", port, 0, 65_535);
        return this;
    }

    /**
     * The model's name, reported as {@code root}; default {@code stand-in/tiny}.
     *
     * @param model any name
     * @return this
     */
    public VllmStandInBuilder model(String model) {
        this.model = model;
        return this;
    }

    /**
     * The names clients may use, the first of which answers carry; default: the model's name.
     *
     * @param names at least one
     * @return this
     */
    public VllmStandInBuilder servedModelNames(String... names) {
        servedNames = List.of(names);
        return this;
    }

    /**
     * Keys that guard {@code /v1}, {@code /v2}, {@code /inference} and {@code /cohere}; default none.
     *
     * @param keys any one of them is accepted as a bearer token
     * @return this
     */
    public VllmStandInBuilder apiKeys(Secret... keys) {
        apiKeys = List.of(keys);
        return this;
    }

    /**
     * The context window; default 4096.
     *
     * @param tokens prompt and answer together, at least 1
     * @return this
     */
    public VllmStandInBuilder maxModelLen(int tokens) {
        maxModelLen = inRange("maxModelLen", tokens, 1, Integer.MAX_VALUE);
        return this;
    }

    /**
     * What {@code /version} says; default {@link VllmVersion#CURRENT}.
     *
     * @param version any text
     * @return this
     */
    public VllmStandInBuilder version(String version) {
        this.version = version;
        return this;
    }

    /**
     * How long connections are refused after the start; default zero, then {@link #start()} returns listening.
     *
     * @param bootTime zero or more
     * @return this
     */
    public VllmStandInBuilder bootTime(Duration bootTime) {
        this.bootTime = notNegative("bootTime", bootTime);
        return this;
    }

    /**
     * The time from admission to the first token; default zero.
     *
     * @param timeToFirstToken zero or more
     * @return this
     */
    public VllmStandInBuilder timeToFirstToken(Duration timeToFirstToken) {
        this.timeToFirstToken = notNegative("timeToFirstToken", timeToFirstToken);
        return this;
    }

    /**
     * The rate of further tokens for each request; default 0, as fast as possible.
     *
     * @param tokensPerSecond above zero, or 0 for no limit
     * @return this
     */
    public VllmStandInBuilder tokensPerSecond(double tokensPerSecond) {
        if (!(tokensPerSecond >= 0)) {
            throw new IllegalArgumentException("tokensPerSecond must be at least 0, got " + tokensPerSecond);
        }
        this.tokensPerSecond = tokensPerSecond;
        return this;
    }

    /**
     * How many requests run at once; the others wait in order. Default 256, vLLM's {@code --max-num-seqs}.
     *
     * @param capacity at least 1
     * @return this
     */
    public VllmStandInBuilder capacity(int capacity) {
        this.capacity = inRange("capacity", capacity, 1, Integer.MAX_VALUE);
        return this;
    }

    /**
     * What {@code --shutdown-timeout} says: how long {@link VllmStandIn#terminate()} lets requests finish. Default
     * zero, as vLLM's.
     *
     * @param shutdownTimeout zero to abort at once
     * @return this
     */
    public VllmStandInBuilder shutdownTimeout(Duration shutdownTimeout) {
        this.shutdownTimeout = notNegative("shutdownTimeout", shutdownTimeout);
        return this;
    }

    /**
     * What {@code --sse-keep-alive-interval} says: how often a stream that is silent gets a comment line. Default zero,
     * none.
     *
     * @param interval zero for no comments
     * @return this
     */
    public VllmStandInBuilder keepAliveInterval(Duration interval) {
        keepAliveInterval = notNegative("keepAliveInterval", interval);
        return this;
    }

    /**
     * Whether answers carry {@code X-Request-Id}; default no, as without {@code --enable-request-id-headers}.
     *
     * @param enabled whether to send it
     * @return this
     */
    public VllmStandInBuilder requestIdHeaders(boolean enabled) {
        requestIdHeaders = enabled;
        return this;
    }

    /**
     * Whether {@code kv_transfer_params.prompt_token_ids} replaces the prompt of a chat; default yes. Servers before
     * the feature ignore the field without a word.
     *
     * @param honours false to behave like an older server
     * @return this
     */
    public VllmStandInBuilder honoursPromptTokenIds(boolean honours) {
        honoursPromptTokenIds = honours;
        return this;
    }

    /**
     * Whether chats are answered by a reasoning model whose thoughts the server tells apart, as with
     * {@code --reasoning-parser}; default no. Thinking ends with the first full stop or semicolon.
     *
     * @param enabled whether answers begin with reasoning
     * @return this
     */
    public VllmStandInBuilder reasoning(boolean enabled) {
        reasoning = enabled;
        return this;
    }

    /**
     * How many requests are remembered with their bodies; default 10,000. Load tests set less.
     *
     * @param last how many of the last ones, 0 for none
     * @return this
     */
    public VllmStandInBuilder keepRequests(int last) {
        keepRequests = inRange("keepRequests", last, 0, Integer.MAX_VALUE);
        return this;
    }

    /**
     * Starts it.
     *
     * @return a stand-in whose {@link VllmStandIn#uri()} is known; it listens already unless a boot time was set
     * @throws java.io.UncheckedIOException if the port cannot be had
     */
    public VllmStandIn start() {
        return VllmStandIn.start(config());
    }

    StandInConfig config() {
        return new StandInConfig(
                host,
                port,
                model,
                servedNames.isEmpty() ? List.of(model) : servedNames,
                apiKeys,
                maxModelLen,
                version,
                bootTime,
                timeToFirstToken,
                tokensPerSecond,
                capacity,
                shutdownTimeout,
                keepAliveInterval,
                requestIdHeaders,
                honoursPromptTokenIds,
                reasoning,
                keepRequests);
    }

    private static int inRange(String name, int value, int least, int greatest) {
        if (value < least || value > greatest) {
            throw new IllegalArgumentException(name + " must be from " + least + " to " + greatest + ", got " + value);
        }
        return value;
    }

    private static Duration notNegative(String name, Duration value) {
        if (value.isNegative()) {
            throw new IllegalArgumentException(name + " must not be negative, got " + value);
        }
        return value;
    }
}
