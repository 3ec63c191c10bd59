package dev.tuna.api;

import java.util.Objects;

/**
 * How a change of a live deployment ended.
 *
 * @param deployment which deployment
 * @param outcome what has become of the change
 * @param detail one sentence for a person
 */
public record RollReport(String deployment, Outcome outcome, String detail) {

    /** Checks that every part is there. */
    public RollReport {
        Objects.requireNonNull(deployment, "deployment");
        Objects.requireNonNull(outcome, "outcome");
        Objects.requireNonNull(detail, "detail");
    }

    /** What can become of a change; safe to switch on. */
    public enum Outcome {
        /** There was nothing to change. */
        UNCHANGED,
        /** Only numbers that Tuna itself applies have changed; they hold now, and no backend was replaced. */
        ADJUSTED,
        /** The changed request serves; what was before takes no new requests and is being removed. */
        ROLLED,
        /** The changed request was given up and is being removed; what served before goes on. */
        ABANDONED
    }
}
