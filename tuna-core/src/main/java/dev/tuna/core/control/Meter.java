package dev.tuna.core.control;

import dev.tuna.core.ledger.ContainerMeter;
import dev.tuna.core.ledger.ContainerRules;
import dev.tuna.core.ledger.EndpointMeter;
import dev.tuna.core.ledger.OpenSpan;
import dev.tuna.core.ledger.ReplicaMeter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** What bills a backend. */
sealed interface Meter {

    /**
     * What is not in the ledger yet.
     *
     * @param now up to when
     * @param containers containers running, as far as the cloud tells
     */
    OpenSpan open(Instant now, OptionalInt containers);

    /** What of it is stored. */
    Object durable();

    /**
     * A rented machine, from launch to end.
     *
     * @param lastEnd when it must have ended if it is not found any more; empty if it has been seen since
     */
    record Machine(ReplicaMeter bill, Optional<Instant> lastEnd) implements Meter {

        Machine(ReplicaMeter bill) {
            this(bill, Optional.empty());
        }

        @Override
        public Object durable() {
            return bill;
        }

        @Override
        public OpenSpan open(Instant now, OptionalInt containers) {
            return bill.open(now);
        }
    }

    /**
     * A serverless endpoint.
     *
     * @param bill enters the growth of the reading
     * @param reckoned container time as reckoned from requests in flight
     * @param stored what the store has of {@code reckoned}
     * @param metered container time as the cloud told it last; empty if it does not
     * @param attempts attempts seen at the last step, so that requests shorter than a step are noticed
     * @param idleWindow how long an idle container stays, if its cloud decides that
     */
    record Containers(
            EndpointMeter bill,
            ContainerMeter reckoned,
            ContainerMeter stored,
            Optional<Duration> metered,
            long attempts,
            Optional<Duration> idleWindow)
            implements Meter {

        Containers reckoned(ContainerMeter next, long attemptsNow) {
            return new Containers(bill, next, stored, metered, attemptsNow, idleWindow);
        }

        Containers metered(Optional<Duration> reading) {
            return reading.isEmpty() || reading.equals(metered)
                    ? this
                    : new Containers(bill, reckoned, stored, reading, attempts, idleWindow);
        }

        Containers billed(EndpointMeter next) {
            return new Containers(next, reckoned, stored, metered, attempts, idleWindow);
        }

        Containers checkpointed() {
            return new Containers(bill, reckoned, reckoned, metered, attempts, idleWindow);
        }

        @Override
        public Object durable() {
            return List.of(bill, stored);
        }

        ContainerRules rules(ContainerRules asked) {
            return idleWindow.map(asked::withWindow).orElse(asked);
        }

        Duration reading() {
            return bill.estimated() ? reckoned.time() : metered.orElse(bill.entered());
        }

        @Override
        public OpenSpan open(Instant now, OptionalInt containers) {
            int running = containers.orElse(
                    Math.max(reckoned.needed(), reckoned.lingering().isEmpty() ? 0 : 1));
            return bill.open(now, reading(), running);
        }
    }
}
