package dev.tuna.router;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * Limits and time-outs of one route. Immutable.
 *
 * @param maxInFlight requests let in at once, held to the end of the answer; beyond it 429; default 8192
 * @param waitingRoom requests that may wait for a backend to come up; beyond it 503; default 1024
 * @param waitLimit longest wait for a backend; then 503 with {@code Retry-After}; default 10 min, since a cold serverless
 *     endpoint takes 1 to 10 minutes to load a model
 * @param connectTimeout for a connection to a backend; default 2 s
 * @param firstTokenTimeout longest silence of a replica before the first byte of a streamed answer; then the next backend
 *     is tried; default 30 s. Serverless endpoints may be cold and are bounded by {@code deadline} only
 * @param idleTimeout longest silence inside a streamed answer; default 60 s
 * @param deadline from arrival to the first byte of a streamed answer, or to the end of any other; all attempts and waits
 *     together; default 10 min, the default time-out of OpenAI clients. A stream that flows is never cut
 * @param maxAttempts backends tried for one request at the most; default 3
 * @param heartbeat silence after which a streaming client that waits gets a comment line; default 10 s, well
 *     below the 60 s after which usual load balancers cut; zero for none
 * @param breaker when a failing backend is left alone
 * @param continuation whether and how broken streams are continued on another backend
 * @param spill when requests go to serverless although replicas serve
 * @param affinity whether the requests of one conversation go to the same replica as long as that is not much busier than
 *     the others; default true, since a server answers sooner from what it has in its prefix cache, and loads differ by a
 *     few requests only
 * @param refusal why every new request is refused with 429 {@code insufficient_quota}; what is in flight or waits already
 *     goes on. Empty, as by default, if none is
 */
public record RoutePolicy(
        int maxInFlight,
        int waitingRoom,
        Duration waitLimit,
        Duration connectTimeout,
        Duration firstTokenTimeout,
        Duration idleTimeout,
        Duration deadline,
        int maxAttempts,
        Duration heartbeat,
        Breaker breaker,
        Continuation continuation,
        Spill spill,
        boolean affinity,
        Optional<String> refusal) {

    /** Every default. */
    public static final RoutePolicy DEFAULT = builder().build();

    /** Checks ranges. */
    public RoutePolicy {
        Check.require(maxInFlight >= 1, "maxInFlight", maxInFlight, "1 or more");
        Check.require(waitingRoom >= 0, "waitingRoom", waitingRoom, "0 or more");
        Check.notNegative("waitLimit", waitLimit);
        Check.positive("connectTimeout", connectTimeout);
        Check.positive("firstTokenTimeout", firstTokenTimeout);
        Check.positive("idleTimeout", idleTimeout);
        Check.positive("deadline", deadline);
        Check.require(maxAttempts >= 1, "maxAttempts", maxAttempts, "1 or more");
        Check.notNegative("heartbeat", heartbeat);
        Objects.requireNonNull(breaker, "breaker");
        Objects.requireNonNull(continuation, "continuation");
        Objects.requireNonNull(spill, "spill");
        Objects.requireNonNull(refusal, "refusal");
    }

    /**
     * When a failing backend is left alone.
     *
     * @param failures failures in a row that open it; default 5. A refused connection to a replica opens it at once
     * @param openFor how long it stays open before probes are let through; default 5 s
     * @param probes requests let through at once while half open; default 1
     * @param successes successful probes that close it; default 2
     * @param maxCooldown longest rest granted to a backend that answers 429 or 503 with {@code Retry-After}; default 30 s
     */
    public record Breaker(int failures, Duration openFor, int probes, int successes, Duration maxCooldown) {

        /** Every default. */
        public static final Breaker DEFAULT = new Breaker(5, Duration.ofSeconds(5), 1, 2, Duration.ofSeconds(30));

        /** Checks ranges. */
        public Breaker {
            Check.require(failures >= 1, "breaker.failures", failures, "1 or more");
            Check.notNegative("breaker.openFor", openFor);
            Check.require(probes >= 1, "breaker.probes", probes, "1 or more");
            Check.require(successes >= 1, "breaker.successes", successes, "1 or more");
            Check.notNegative("breaker.maxCooldown", maxCooldown);
        }
    }

    /**
     * Whether and how broken streams are continued on another backend.
     *
     * @param mode which methods may be used; default {@link Mode#EXACT}
     * @param maxMoves how often one stream may be continued; default 3. Zero for never
     * @param moveBefore how long before a backend is taken away, or cuts a request by a limit of its own, a stream is moved
     *     to another; for shorter limits a quarter of the limit; default 20 s, for many streams to move one after the other
     */
    public record Continuation(Mode mode, int maxMoves, Duration moveBefore) {

        /** Every default. */
        public static final Continuation DEFAULT = new Continuation(Mode.EXACT, 3, Duration.ofSeconds(20));

        /** No stream is continued, and backends are not asked for token ids. */
        public static final Continuation OFF = new Continuation(Mode.OFF, 0, Duration.ZERO);

        /** Which methods may be used. */
        public enum Mode {
            /** None: a broken stream ends with an error event. */
            OFF,
            /** Those that go on from exactly the tokens at which the stream broke. */
            EXACT,
            /** Also those that go on from the text, which a model may split into other tokens. */
            BEST_EFFORT
        }

        /** Checks ranges. */
        public Continuation {
            Objects.requireNonNull(mode, "mode");
            Check.require(maxMoves >= 0, "continuation.maxMoves", maxMoves, "0 or more");
            Check.notNegative("continuation.moveBefore", moveBefore);
        }
    }

    /**
     * When requests that a replica could take go to serverless, if that can take them; otherwise they stay.
     *
     * @param firstToken if more than a tenth of a replica's streams take longer to their first token, its share of the
     *     traffic falls step by step, and rises again when they no longer do; default 10 s, a third of
     *     {@code firstTokenTimeout}
     * @param betweenTokens likewise, if more than a tenth of its streams take longer for each token on average; default 1 s,
     *     several times slower than people read
     * @param inFlight requests that one replica works on before further ones go elsewhere; default 256, as many as vLLM runs
     *     at once unless told otherwise. The harder limit of a backend's address is never exceeded
     */
    public record Spill(Duration firstToken, Duration betweenTokens, int inFlight) {

        /** Every default. */
        public static final Spill DEFAULT = new Spill(Duration.ofSeconds(10), Duration.ofSeconds(1), 256);

        /** Checks ranges. */
        public Spill {
            Check.positive("spill.firstToken", firstToken);
            Check.positive("spill.betweenTokens", betweenTokens);
            Check.require(inFlight >= 1, "spill.inFlight", inFlight, "1 or more");
        }
    }

    /**
     * A builder with the defaults.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A builder with these values.
     *
     * @return a new builder
     */
    public Builder toBuilder() {
        return new Builder()
                .maxInFlight(maxInFlight)
                .waitingRoom(waitingRoom)
                .waitLimit(waitLimit)
                .connectTimeout(connectTimeout)
                .firstTokenTimeout(firstTokenTimeout)
                .idleTimeout(idleTimeout)
                .deadline(deadline)
                .maxAttempts(maxAttempts)
                .heartbeat(heartbeat)
                .breaker(breaker)
                .continuation(continuation)
                .spill(spill)
                .affinity(affinity)
                .refusal(refusal);
    }

    /** Apart, so that a nested policy can be the first of these types to be used: its checks must not load the defaults. */
    private static final class Check {

        static void notNegative(String field, Duration value) {
            require(!value.isNegative(), field, value, "zero or longer");
        }

        static void positive(String field, Duration value) {
            require(!value.isNegative() && !value.isZero(), field, value, "longer than zero");
        }

        static void require(boolean holds, String field, Object value, String allowed) {
            if (!holds) {
                throw new IllegalArgumentException(
                        "route policy: " + field + " is '" + value + "' but must be " + allowed);
            }
        }
    }

    /** Builds a {@link RoutePolicy}; setters are named like its components. Not thread-safe. */
    public static final class Builder {
        private int maxInFlight = 8192;
        private int waitingRoom = 1024;
        private Duration waitLimit = Duration.ofMinutes(10);
        private Duration connectTimeout = Duration.ofSeconds(2);
        private Duration firstTokenTimeout = Duration.ofSeconds(30);
        private Duration idleTimeout = Duration.ofSeconds(60);
        private Duration deadline = Duration.ofMinutes(10);
        private int maxAttempts = 3;
        private Duration heartbeat = Duration.ofSeconds(10);
        private Breaker breaker = Breaker.DEFAULT;
        private Continuation continuation = Continuation.DEFAULT;
        private Spill spill = Spill.DEFAULT;
        private boolean affinity = true;
        private Optional<String> refusal = Optional.empty();

        private Builder() {}

        /**
         * Sets {@link RoutePolicy#maxInFlight()}.
         *
         * @param value 1 or more
         * @return this
         */
        public Builder maxInFlight(int value) {
            this.maxInFlight = value;
            return this;
        }

        /**
         * Sets {@link RoutePolicy#waitingRoom()}.
         *
         * @param value 0 or more
         * @return this
         */
        public Builder waitingRoom(int value) {
            this.waitingRoom = value;
            return this;
        }

        /**
         * Sets {@link RoutePolicy#waitLimit()}.
         *
         * @param value zero or longer
         * @return this
         */
        public Builder waitLimit(Duration value) {
            this.waitLimit = value;
            return this;
        }

        /**
         * Sets {@link RoutePolicy#connectTimeout()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder connectTimeout(Duration value) {
            this.connectTimeout = value;
            return this;
        }

        /**
         * Sets {@link RoutePolicy#firstTokenTimeout()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder firstTokenTimeout(Duration value) {
            this.firstTokenTimeout = value;
            return this;
        }

        /**
         * Sets {@link RoutePolicy#idleTimeout()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder idleTimeout(Duration value) {
            this.idleTimeout = value;
            return this;
        }

        /**
         * Sets {@link RoutePolicy#deadline()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder deadline(Duration value) {
            this.deadline = value;
            return this;
        }

        /**
         * Sets {@link RoutePolicy#maxAttempts()}.
         *
         * @param value 1 or more
         * @return this
         */
        public Builder maxAttempts(int value) {
            this.maxAttempts = value;
            return this;
        }

        /**
         * Sets {@link RoutePolicy#heartbeat()}.
         *
         * @param value zero for none
         * @return this
         */
        public Builder heartbeat(Duration value) {
            this.heartbeat = value;
            return this;
        }

        /**
         * Sets {@link RoutePolicy#breaker()}.
         *
         * @param value when a failing backend is left alone
         * @return this
         */
        public Builder breaker(Breaker value) {
            this.breaker = value;
            return this;
        }

        /**
         * Sets {@link RoutePolicy#continuation()}.
         *
         * @param value whether and how broken streams are continued
         * @return this
         */
        public Builder continuation(Continuation value) {
            this.continuation = value;
            return this;
        }

        /**
         * Sets {@link RoutePolicy#spill()}.
         *
         * @param value when requests go to serverless although replicas serve
         * @return this
         */
        public Builder spill(Spill value) {
            this.spill = value;
            return this;
        }

        /**
         * Sets {@link RoutePolicy#affinity()}.
         *
         * @param value false for the least busy replica each time
         * @return this
         */
        public Builder affinity(boolean value) {
            this.affinity = value;
            return this;
        }

        /**
         * Sets {@link RoutePolicy#refusal()}.
         *
         * @param value why new requests are refused; empty to let them in
         * @return this
         */
        public Builder refusal(Optional<String> value) {
            this.refusal = value;
            return this;
        }

        /**
         * Checks and builds.
         *
         * @return the policy
         * @throws IllegalArgumentException naming the wrong field
         */
        public RoutePolicy build() {
            return new RoutePolicy(
                    maxInFlight,
                    waitingRoom,
                    waitLimit,
                    connectTimeout,
                    firstTokenTimeout,
                    idleTimeout,
                    deadline,
                    maxAttempts,
                    heartbeat,
                    breaker,
                    continuation,
                    spill,
                    affinity,
                    refusal);
        }
    }
}
