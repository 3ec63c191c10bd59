package dev.tuna.core.control;

import java.time.Duration;
import java.util.Objects;

/**
 * How patient the control plane is. Immutable; every part is longer than zero.
 *
 * @param observeInterval how often the clouds are asked what runs while nothing changes; default 5 s, well inside the two minutes of an interruption notice
 * @param busyInterval how often they are asked while something boots, drains or ends; default 1 s
 * @param probeInterval pause between two readiness requests to one backend; default 2 s, as the original polls
 * @param probeLimit how long a replica may take to answer a readiness request; default 30 s, the router's limit for a first token
 * @param coldProbeLimit how long a serverless endpoint may take to answer one, its cold start included; default 10 min, since loading a model takes 1 to 10 minutes there
 * @param bootDeadline how long a replica may take from launch until it serves; default 20 min, the original's warm-up limit
 * @param crashLoopPause rest after replicas failed to come up {@link Brain#CRASH_LOOP} times in a row; default 30 min
 * @param drainLimit how long a draining backend may go on with what it has; default 2 min, the notice that clouds give before they take a machine
 * @param rollDrainLimit how long a revision that was replaced may go on with what it has; likewise a replica that is given up for money; default 30 min, as nobody takes its machines and no long answer is to be cut
 * @param retryBase pause before the first retry of a failed call; it doubles from one to the next; default 2 s
 * @param retryMax longest pause between retries; default 5 min
 * @param callLimit after how long a call to a provider that has not returned counts as failed; default 2 min; plugins promise seconds
 * @param endRepeat after how long a resource that does not go away is asked to go again; default 30 s
 * @param checkpointInterval how often counters and reckoned container time are stored while they change; default 1 min, what a crash may lose of an estimate
 * @param ledgerInterval how often running container time is entered into the ledger; default 15 min; rented machines are entered when their price changes and when they end
 */
public record ControlTimings(
        Duration observeInterval,
        Duration busyInterval,
        Duration probeInterval,
        Duration probeLimit,
        Duration coldProbeLimit,
        Duration bootDeadline,
        Duration crashLoopPause,
        Duration drainLimit,
        Duration rollDrainLimit,
        Duration retryBase,
        Duration retryMax,
        Duration callLimit,
        Duration endRepeat,
        Duration checkpointInterval,
        Duration ledgerInterval) {

    /** Every default. */
    public static final ControlTimings DEFAULT = builder().build();

    /** Checks that every part is longer than zero. */
    public ControlTimings {
        positive("observeInterval", observeInterval);
        positive("busyInterval", busyInterval);
        positive("probeInterval", probeInterval);
        positive("probeLimit", probeLimit);
        positive("coldProbeLimit", coldProbeLimit);
        positive("bootDeadline", bootDeadline);
        positive("crashLoopPause", crashLoopPause);
        positive("drainLimit", drainLimit);
        positive("rollDrainLimit", rollDrainLimit);
        positive("retryBase", retryBase);
        positive("retryMax", retryMax);
        positive("callLimit", callLimit);
        positive("endRepeat", endRepeat);
        positive("checkpointInterval", checkpointInterval);
        positive("ledgerInterval", ledgerInterval);
    }

    /**
     * How long a changed request may take until it serves, before what served before goes on without it: time for a replica
     * to boot and for a serverless endpoint's cold start.
     *
     * @return {@link #bootDeadline()} and {@link #coldProbeLimit()} together
     */
    public Duration rollDeadline() {
        return bootDeadline.plus(coldProbeLimit);
    }

    private static void positive(String name, Duration value) {
        if (Objects.requireNonNull(value, name).isNegative() || value.isZero()) {
            throw new IllegalArgumentException(
                    "control timings: " + name + " is '" + value + "' but must be longer than zero");
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
        var builder = new Builder();
        builder.observeInterval = observeInterval;
        builder.busyInterval = busyInterval;
        builder.probeInterval = probeInterval;
        builder.probeLimit = probeLimit;
        builder.coldProbeLimit = coldProbeLimit;
        builder.bootDeadline = bootDeadline;
        builder.crashLoopPause = crashLoopPause;
        builder.drainLimit = drainLimit;
        builder.rollDrainLimit = rollDrainLimit;
        builder.retryBase = retryBase;
        builder.retryMax = retryMax;
        builder.callLimit = callLimit;
        builder.endRepeat = endRepeat;
        builder.checkpointInterval = checkpointInterval;
        builder.ledgerInterval = ledgerInterval;
        return builder;
    }

    /** Builds {@link ControlTimings}; setters are named like its components. Not thread-safe. */
    public static final class Builder {
        private Duration observeInterval = Duration.ofSeconds(5);
        private Duration busyInterval = Duration.ofSeconds(1);
        private Duration probeInterval = Duration.ofSeconds(2);
        private Duration probeLimit = Duration.ofSeconds(30);
        private Duration coldProbeLimit = Duration.ofMinutes(10);
        private Duration bootDeadline = Duration.ofMinutes(20);
        private Duration crashLoopPause = Duration.ofMinutes(30);
        private Duration drainLimit = Duration.ofMinutes(2);
        private Duration rollDrainLimit = Duration.ofMinutes(30);
        private Duration retryBase = Duration.ofSeconds(2);
        private Duration retryMax = Duration.ofMinutes(5);
        private Duration callLimit = Duration.ofMinutes(2);
        private Duration endRepeat = Duration.ofSeconds(30);
        private Duration checkpointInterval = Duration.ofMinutes(1);
        private Duration ledgerInterval = Duration.ofMinutes(15);

        private Builder() {}

        /**
         * Sets {@link ControlTimings#observeInterval()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder observeInterval(Duration value) {
            this.observeInterval = value;
            return this;
        }

        /**
         * Sets {@link ControlTimings#busyInterval()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder busyInterval(Duration value) {
            this.busyInterval = value;
            return this;
        }

        /**
         * Sets {@link ControlTimings#probeInterval()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder probeInterval(Duration value) {
            this.probeInterval = value;
            return this;
        }

        /**
         * Sets {@link ControlTimings#probeLimit()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder probeLimit(Duration value) {
            this.probeLimit = value;
            return this;
        }

        /**
         * Sets {@link ControlTimings#coldProbeLimit()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder coldProbeLimit(Duration value) {
            this.coldProbeLimit = value;
            return this;
        }

        /**
         * Sets {@link ControlTimings#bootDeadline()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder bootDeadline(Duration value) {
            this.bootDeadline = value;
            return this;
        }

        /**
         * Sets {@link ControlTimings#crashLoopPause()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder crashLoopPause(Duration value) {
            this.crashLoopPause = value;
            return this;
        }

        /**
         * Sets {@link ControlTimings#drainLimit()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder drainLimit(Duration value) {
            this.drainLimit = value;
            return this;
        }

        /**
         * Sets {@link ControlTimings#rollDrainLimit()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder rollDrainLimit(Duration value) {
            this.rollDrainLimit = value;
            return this;
        }

        /**
         * Sets {@link ControlTimings#retryBase()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder retryBase(Duration value) {
            this.retryBase = value;
            return this;
        }

        /**
         * Sets {@link ControlTimings#retryMax()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder retryMax(Duration value) {
            this.retryMax = value;
            return this;
        }

        /**
         * Sets {@link ControlTimings#callLimit()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder callLimit(Duration value) {
            this.callLimit = value;
            return this;
        }

        /**
         * Sets {@link ControlTimings#endRepeat()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder endRepeat(Duration value) {
            this.endRepeat = value;
            return this;
        }

        /**
         * Sets {@link ControlTimings#checkpointInterval()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder checkpointInterval(Duration value) {
            this.checkpointInterval = value;
            return this;
        }

        /**
         * Sets {@link ControlTimings#ledgerInterval()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder ledgerInterval(Duration value) {
            this.ledgerInterval = value;
            return this;
        }

        /**
         * Checks and builds.
         *
         * @return the timings
         * @throws IllegalArgumentException naming the wrong part
         */
        public ControlTimings build() {
            return new ControlTimings(
                    observeInterval,
                    busyInterval,
                    probeInterval,
                    probeLimit,
                    coldProbeLimit,
                    bootDeadline,
                    crashLoopPause,
                    drainLimit,
                    rollDrainLimit,
                    retryBase,
                    retryMax,
                    callLimit,
                    endRepeat,
                    checkpointInterval,
                    ledgerInterval);
        }
    }
}
