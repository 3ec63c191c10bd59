package dev.tuna.testkit.vllm;

import dev.tuna.api.Secret;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/**
 * A model server on a loopback port that behaves like {@code vllm serve} on the wire.
 *
 * <p>What it generates is decided by {@link StandInModel}, so a test knows the right answer, and knows that a
 * continuation is right if and only if its prefix was. It can be slow, small, booting, draining, killed, or faulty in the
 * ways {@link Fault} lists. It records what it was sent and how it ended.
 *
 * <p>Thread-safe. One daemon thread, named {@code tuna-stand-in-<port>}, does all the work; closing ends it.
 */
public final class VllmStandIn implements AutoCloseable {

    private final StandInServer server;

    private VllmStandIn(StandInConfig config) {
        server = new StandInServer(config);
    }

    /**
     * Begins to configure a stand-in.
     *
     * @return a builder with every default set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Starts one with every default.
     *
     * @return a listening stand-in
     */
    public static VllmStandIn start() {
        return builder().start();
    }

    static VllmStandIn start(StandInConfig config) {
        VllmStandIn standIn = new VllmStandIn(config);
        standIn.server.start();
        return standIn;
    }

    /**
     * Where it listens, or will listen once booted.
     *
     * @return {@code http://host:port}, without a path
     */
    public URI uri() {
        return URI.create("http://" + server.config().host() + ":" + port());
    }

    /**
     * The port, which is kept from the start even while nothing listens.
     *
     * @return 1 to 65535
     */
    public int port() {
        return server.address().getPort();
    }

    /**
     * The name it answers to.
     *
     * @return the first served model name
     */
    public String model() {
        return server.config().servedName();
    }

    /**
     * Whether connections are accepted: booted, not told to refuse, not terminated, not killed.
     *
     * @return the state at this moment
     */
    public boolean listening() {
        return server.listening();
    }

    /**
     * The last requests, oldest first, as many as {@link Builder#keepRequests} allows.
     *
     * @return a snapshot; outcomes in it do not change
     */
    public List<RecordedRequest> requests() {
        return server.journal().requests();
    }

    /**
     * The last requests for one path.
     *
     * @param path without query
     * @return a snapshot, oldest first
     */
    public List<RecordedRequest> requests(String path) {
        return requests().stream()
                .filter(request -> request.path().equals(path))
                .toList();
    }

    /**
     * All counters at once.
     *
     * @return a snapshot
     */
    public StandInStats stats() {
        return server.stats();
    }

    /**
     * How many requests are being generated.
     *
     * @return at most the capacity
     */
    public int running() {
        return server.engine().running();
    }

    /**
     * How many requests wait for capacity.
     *
     * @return zero or more
     */
    public int waiting() {
        return server.engine().waiting();
    }

    /**
     * Adds a fault behind those in force.
     *
     * @param fault what to do wrong from now on
     */
    public void inject(Fault fault) {
        server.inject(Objects.requireNonNull(fault, "fault"));
    }

    /** Drops all faults; if connections were refused, they are accepted again on the same port. */
    public void clearFaults() {
        server.clearFaults();
    }

    /**
     * Drops everything at once, as SIGKILL or a lost machine does: every connection is reset, the port closes. What was
     * recorded stays readable.
     */
    public void kill() {
        server.kill();
    }

    /**
     * Shuts down as SIGTERM does. New connections are refused, new requests on open ones get 503. With a shutdown timeout
     * of zero what is in flight ends at once with the finish reason {@code abort} (and {@code [DONE]}); otherwise it is
     * finished, and only what is left at the timeout is aborted.
     *
     * @return completes when nothing is being answered any more
     */
    public CompletableFuture<Void> terminate() {
        return server.terminate().copy();
    }

    /** Kills it and ends its thread; may be called twice. */
    @Override
    public void close() {
        server.close();
    }

    /** Configures a stand-in. Not thread-safe. */
    public static final class Builder {

        private String host = "127.0.0.1";
        private int port;
        private String model = "stand-in/tiny";
        private List<String> servedNames = List.of();
        private List<Secret> apiKeys = List.of();
        private int maxModelLen = 4096;
        private String version = "0.31.0";
        private Duration bootTime = Duration.ZERO;
        private Duration timeToFirstToken = Duration.ZERO;
        private double tokensPerSecond;
        private int capacity = 256;
        private Duration shutdownTimeout = Duration.ZERO;
        private boolean requestIdHeaders;
        private boolean honoursPromptTokenIds = true;
        private int keepRequests = 10_000;

        private Builder() {}

        /**
         * The address to bind; default {@code 127.0.0.1}.
         *
         * @param host a numeric address or name of this machine
         * @return this
         */
        public Builder host(String host) {
            this.host = host;
            return this;
        }

        /**
         * The port; default 0, any free one.
         *
         * @param port 0 to 65535
         * @return this
         */
        public Builder port(int port) {
            this.port = inRange("port", port, 0, 65_535);
            return this;
        }

        /**
         * The model's name, reported as {@code root}; default {@code stand-in/tiny}.
         *
         * @param model any name
         * @return this
         */
        public Builder model(String model) {
            this.model = model;
            return this;
        }

        /**
         * The names clients may use, the first of which answers carry; default: the model's name.
         *
         * @param names at least one
         * @return this
         */
        public Builder servedModelNames(String... names) {
            servedNames = List.of(names);
            return this;
        }

        /**
         * Keys that guard {@code /v1}, {@code /v2}, {@code /inference} and {@code /cohere}; default none.
         *
         * @param keys any one of them is accepted as a bearer token
         * @return this
         */
        public Builder apiKeys(Secret... keys) {
            apiKeys = List.of(keys);
            return this;
        }

        /**
         * The context window; default 4096.
         *
         * @param tokens prompt and answer together, at least 1
         * @return this
         */
        public Builder maxModelLen(int tokens) {
            maxModelLen = inRange("maxModelLen", tokens, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * What {@code /version} says; default {@code 0.31.0}.
         *
         * @param version any text
         * @return this
         */
        public Builder version(String version) {
            this.version = version;
            return this;
        }

        /**
         * How long connections are refused after the start; default zero, then {@link #start()} returns listening.
         *
         * @param bootTime zero or more
         * @return this
         */
        public Builder bootTime(Duration bootTime) {
            this.bootTime = notNegative("bootTime", bootTime);
            return this;
        }

        /**
         * The time from admission to the first token; default zero.
         *
         * @param timeToFirstToken zero or more
         * @return this
         */
        public Builder timeToFirstToken(Duration timeToFirstToken) {
            this.timeToFirstToken = notNegative("timeToFirstToken", timeToFirstToken);
            return this;
        }

        /**
         * The rate of further tokens for each request; default 0, as fast as possible.
         *
         * @param tokensPerSecond above zero, or 0 for no limit
         * @return this
         */
        public Builder tokensPerSecond(double tokensPerSecond) {
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
        public Builder capacity(int capacity) {
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
        public Builder shutdownTimeout(Duration shutdownTimeout) {
            this.shutdownTimeout = notNegative("shutdownTimeout", shutdownTimeout);
            return this;
        }

        /**
         * Whether answers carry {@code X-Request-Id}; default no, as without {@code --enable-request-id-headers}.
         *
         * @param enabled whether to send it
         * @return this
         */
        public Builder requestIdHeaders(boolean enabled) {
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
        public Builder honoursPromptTokenIds(boolean honours) {
            honoursPromptTokenIds = honours;
            return this;
        }

        /**
         * How many requests are remembered with their bodies; default 10,000. Load tests set less.
         *
         * @param last how many of the last ones, 0 for none
         * @return this
         */
        public Builder keepRequests(int last) {
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
                    requestIdHeaders,
                    honoursPromptTokenIds,
                    keepRequests);
        }

        private static int inRange(String name, int value, int least, int greatest) {
            if (value < least || value > greatest) {
                throw new IllegalArgumentException(
                        name + " must be from " + least + " to " + greatest + ", got " + value);
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
}
