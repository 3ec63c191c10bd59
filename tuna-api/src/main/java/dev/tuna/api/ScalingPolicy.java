package dev.tuna.api;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * How many machines a deployment may use, and how fast their number changes.
 *
 * <p>The same keys stand in a YAML file as {@code spot.min_replicas} and so on; durations are written {@code 90s},
 * {@code 5m}, or as a plain number of seconds. Immutable.
 *
 * @param spot the fleet of rented replicas
 * @param serverless the serverless endpoint
 */
public record ScalingPolicy(Spot spot, Serverless serverless) {

    /** The policy used when nothing is said: the defaults of {@link Spot} and {@link Serverless}. */
    public static final ScalingPolicy DEFAULT =
            new ScalingPolicy(Spot.builder().build(), Serverless.builder().build());

    /** Checks that both parts are there. */
    public ScalingPolicy {
        Objects.requireNonNull(spot, "spot");
        Objects.requireNonNull(serverless, "serverless");
    }

    /**
     * The same policy with another fleet part.
     *
     * @param spot the new part
     * @return a copy
     */
    public ScalingPolicy withSpot(Spot spot) {
        return new ScalingPolicy(spot, serverless);
    }

    /**
     * The same policy with another serverless part.
     *
     * @param serverless the new part
     * @return a copy
     */
    public ScalingPolicy withServerless(Serverless serverless) {
        return new ScalingPolicy(spot, serverless);
    }

    /**
     * The fleet of rented replicas.
     *
     * @param minReplicas replicas kept without traffic, 0 or more; default 0
     * @param maxReplicas replicas never exceeded, 0 or more and at least {@code minReplicas}; default 5
     * @param targetQps requests per second that one replica should carry, above 0, fractions allowed; default 10
     * @param targetTokensPerSecond generated tokens per second that one replica should carry, above 0, fractions allowed;
     *     empty (the default) if tokens are not to be looked at
     * @param upscaleDelay how long demand must stay high before a replica is added, dips of a quarter of this time in all
     *     allowed for; default 5 s. From zero there is no delay
     * @param downscaleDelay how long demand must stay low before a replica is removed, peaks of a quarter of this time in
     *     all allowed for; default 300 s
     * @param keepLast when there is a last replica above the minimum; default {@link KeepLast#WHILE_IT_PAYS}
     * @param firstTokenLimit time in which 99 of 100 requests are to have their first token; empty (the default) if what is
     *     cheapest is good enough. Where serverless cold starts take longer and would hit too many requests, a replica is kept
     *     although it does not pay
     * @param onDemand when machines at list price stand in for spot; default {@link OnDemand#WHEN_CHEAPER}
     */
    public record Spot(
            int minReplicas,
            int maxReplicas,
            double targetQps,
            OptionalDouble targetTokensPerSecond,
            Duration upscaleDelay,
            Duration downscaleDelay,
            KeepLast keepLast,
            Optional<Duration> firstTokenLimit,
            OnDemand onDemand) {

        /** When there is a last replica above the minimum. */
        public enum KeepLast {
            /**
             * From the first request on, and until there was none for {@code downscaleDelay}, but only while serverless
             * containers would cost more for the same traffic. Where a price is unknown this is {@link #WITH_TRAFFIC}.
             */
            WHILE_IT_PAYS,
            /** From the first request on, and until there was none for {@code downscaleDelay}. */
            WITH_TRAFFIC
        }

        /** When machines at list price stand in for spot that has run dry. */
        public enum OnDemand {
            /** Never: serverless alone bridges. */
            NEVER,
            /**
             * When they are cheaper than serverless at the current load for as long as the shortage is likely to last, or there
             * is no serverless endpoint.
             */
            WHEN_CHEAPER
        }

        private static final int DEFAULT_MAX_REPLICAS = 5;

        /** Checks ranges and that min does not exceed max. */
        public Spot {
            var problems = new Problems("scaling policy");
            problems.atLeast("spot.min_replicas", minReplicas, 0);
            problems.atLeast("spot.max_replicas", maxReplicas, 0);
            problems.check(
                    minReplicas <= maxReplicas,
                    "spot.min_replicas",
                    minReplicas,
                    "at most spot.max_replicas (" + maxReplicas + ")");
            problems.check(
                    targetQps > 0 && targetQps < Double.POSITIVE_INFINITY,
                    "spot.target_qps",
                    targetQps,
                    "a number above 0");
            double tokens = targetTokensPerSecond.orElse(1);
            problems.check(
                    tokens > 0 && tokens < Double.POSITIVE_INFINITY,
                    "spot.target_tokens_per_second",
                    tokens,
                    "a number above 0");
            problems.notNegative("spot.upscale_delay", upscaleDelay);
            problems.notNegative("spot.downscale_delay", downscaleDelay);
            Objects.requireNonNull(keepLast, "keepLast");
            firstTokenLimit.ifPresent(limit -> problems.positive("spot.first_token_limit", limit));
            Objects.requireNonNull(onDemand, "onDemand");
            problems.throwIfAny();
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
            var builder = new Builder()
                    .minReplicas(minReplicas)
                    .maxReplicas(maxReplicas)
                    .targetQps(targetQps)
                    .upscaleDelay(upscaleDelay)
                    .downscaleDelay(downscaleDelay)
                    .keepLast(keepLast)
                    .onDemand(onDemand);
            builder.targetTokensPerSecond = targetTokensPerSecond;
            builder.firstTokenLimit = firstTokenLimit;
            return builder;
        }

        /** Builds a {@link Spot}; setters are named like its components. Not thread-safe. */
        public static final class Builder {
            private int minReplicas;
            private int maxReplicas = DEFAULT_MAX_REPLICAS;
            private double targetQps = 10;
            private OptionalDouble targetTokensPerSecond = OptionalDouble.empty();
            private Duration upscaleDelay = Duration.ofSeconds(5);
            private Duration downscaleDelay = Duration.ofMinutes(5);
            private KeepLast keepLast = KeepLast.WHILE_IT_PAYS;
            private Optional<Duration> firstTokenLimit = Optional.empty();
            private OnDemand onDemand = OnDemand.WHEN_CHEAPER;

            private Builder() {}

            /**
             * Sets the replicas kept without traffic.
             *
             * @param value 0 or more
             * @return this
             */
            public Builder minReplicas(int value) {
                this.minReplicas = value;
                return this;
            }

            /**
             * Sets the replicas never exceeded.
             *
             * @param value at least the minimum
             * @return this
             */
            public Builder maxReplicas(int value) {
                this.maxReplicas = value;
                return this;
            }

            /**
             * Sets the requests per second for one replica.
             *
             * @param value above 0
             * @return this
             */
            public Builder targetQps(double value) {
                this.targetQps = value;
                return this;
            }

            /**
             * Sets the generated tokens per second for one replica.
             *
             * @param value above 0
             * @return this
             */
            public Builder targetTokensPerSecond(double value) {
                this.targetTokensPerSecond = OptionalDouble.of(value);
                return this;
            }

            /**
             * Sets the delay before growing.
             *
             * @param value zero or longer
             * @return this
             */
            public Builder upscaleDelay(Duration value) {
                this.upscaleDelay = value;
                return this;
            }

            /**
             * Sets the delay before shrinking.
             *
             * @param value zero or longer
             * @return this
             */
            public Builder downscaleDelay(Duration value) {
                this.downscaleDelay = value;
                return this;
            }

            /**
             * Sets when there is a last replica above the minimum.
             *
             * @param value when
             * @return this
             */
            public Builder keepLast(KeepLast value) {
                this.keepLast = value;
                return this;
            }

            /**
             * Sets the time in which 99 of 100 requests are to have their first token.
             *
             * @param value longer than zero
             * @return this
             */
            public Builder firstTokenLimit(Duration value) {
                this.firstTokenLimit = Optional.of(value);
                return this;
            }

            /**
             * Sets when machines at list price stand in for spot.
             *
             * @param value when
             * @return this
             */
            public Builder onDemand(OnDemand value) {
                this.onDemand = value;
                return this;
            }

            /**
             * Checks and builds.
             *
             * @return the fleet part
             * @throws ConfigurationException naming every wrong value at once
             */
            public Spot build() {
                return new Spot(
                        minReplicas,
                        maxReplicas,
                        targetQps,
                        targetTokensPerSecond,
                        upscaleDelay,
                        downscaleDelay,
                        keepLast,
                        firstTokenLimit,
                        onDemand);
            }
        }
    }

    /**
     * The serverless endpoint.
     *
     * @param concurrency requests that one container serves at once, 1 or more; default 32
     * @param scaledownWindow idle time after which a container stops; default 60 s
     * @param timeout longest time that one request may take, above zero; default 600 s
     * @param workersMin containers kept without traffic, 0 or more; default 0
     * @param workersLimit containers never exceeded, if a limit was set: 1 or more and at least {@code workersMin}; empty (the
     *     default) if it follows the fleet, see {@link #workersMax()}
     * @param scalerValue queue delay in seconds at which a provider that scales by queue delay adds a container, 1 or
     *     more; default 4
     */
    public record Serverless(
            int concurrency,
            Duration scaledownWindow,
            Duration timeout,
            int workersMin,
            OptionalInt workersLimit,
            int scalerValue) {

        /** Checks ranges and that min does not exceed max. */
        public Serverless {
            var problems = new Problems("scaling policy");
            problems.atLeast("serverless.concurrency", concurrency, 1);
            problems.notNegative("serverless.scaledown_window", scaledownWindow);
            problems.positive("serverless.timeout", timeout);
            problems.atLeast("serverless.workers_min", workersMin, 0);
            if (workersLimit.isPresent()) {
                int limit = workersLimit.getAsInt();
                problems.atLeast("serverless.workers_max", limit, 1);
                problems.check(
                        workersMin <= limit,
                        "serverless.workers_min",
                        workersMin,
                        "at most serverless.workers_max (" + limit + ")");
            }
            problems.atLeast("serverless.scaler_value", scalerValue, 1);
            problems.throwIfAny();
        }

        /**
         * Containers never exceeded: the limit that was set, else as many as the fleet may have replicas, so that
         * serverless can carry what the fleet drops.
         *
         * <p>Of a policy by itself this is the default of {@code spot.max_replicas}; what a request's fleet may have is
         * taken into account by {@link DeployRequest#effectiveScaling()}, which is what providers are given.
         *
         * @return 1 or more and at least {@code workersMin}
         */
        public int workersMax() {
            return workersLimit.orElse(Math.max(Spot.DEFAULT_MAX_REPLICAS, workersMin));
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
            var builder = new Builder()
                    .concurrency(concurrency)
                    .scaledownWindow(scaledownWindow)
                    .timeout(timeout)
                    .workersMin(workersMin)
                    .scalerValue(scalerValue);
            builder.workersLimit = workersLimit;
            return builder;
        }

        /** Builds a {@link Serverless}; setters are named like its components. Not thread-safe. */
        public static final class Builder {
            private int concurrency = 32;
            private Duration scaledownWindow = Duration.ofMinutes(1);
            private Duration timeout = Duration.ofMinutes(10);
            private int workersMin;
            private OptionalInt workersLimit = OptionalInt.empty();
            private int scalerValue = 4;

            private Builder() {}

            /**
             * Sets the requests that one container serves at once.
             *
             * @param value 1 or more
             * @return this
             */
            public Builder concurrency(int value) {
                this.concurrency = value;
                return this;
            }

            /**
             * Sets the idle time after which a container stops.
             *
             * @param value zero or longer
             * @return this
             */
            public Builder scaledownWindow(Duration value) {
                this.scaledownWindow = value;
                return this;
            }

            /**
             * Sets the longest time for one request.
             *
             * @param value above zero
             * @return this
             */
            public Builder timeout(Duration value) {
                this.timeout = value;
                return this;
            }

            /**
             * Sets the containers kept without traffic.
             *
             * @param value 0 or more
             * @return this
             */
            public Builder workersMin(int value) {
                this.workersMin = value;
                return this;
            }

            /**
             * Sets the containers never exceeded; by default they follow the fleet's maximum.
             *
             * @param value 1 or more
             * @return this
             */
            public Builder workersMax(int value) {
                this.workersLimit = OptionalInt.of(value);
                return this;
            }

            /**
             * Sets the queue delay in seconds.
             *
             * @param value 1 or more
             * @return this
             */
            public Builder scalerValue(int value) {
                this.scalerValue = value;
                return this;
            }

            /**
             * Checks and builds.
             *
             * @return the serverless part
             * @throws ConfigurationException naming every wrong value at once
             */
            public Serverless build() {
                return new Serverless(concurrency, scaledownWindow, timeout, workersMin, workersLimit, scalerValue);
            }
        }
    }
}
