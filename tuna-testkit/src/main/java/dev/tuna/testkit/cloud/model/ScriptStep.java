package dev.tuna.testkit.cloud.model;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Objects;

/**
 * One call of {@link CloudScript} as data, so that it can travel.
 *
 * @param action what to do
 * @param target the pool, endpoint, GPU, replica or container that it is done to; empty for {@link Action#COLD_START}
 * @param value a number or an ISO 8601 duration, as the action needs; empty for {@link Action#LOSE} and
 *     {@link Action#RECOMMEND_REBALANCE}
 */
public record ScriptStep(Action action, String target, String value) {

    /** The methods of {@link CloudScript}. */
    public enum Action {
        /** {@link CloudScript#setPrice}. */
        PRICE,
        /** {@link CloudScript#setCapacity}. */
        CAPACITY,
        /** {@link CloudScript#setBootDelay}. */
        BOOT_DELAY,
        /** {@link CloudScript#failBoots}. */
        FAIL_BOOTS,
        /** {@link CloudScript#setServerlessPrice}. */
        SERVERLESS_PRICE,
        /** {@link CloudScript#setColdStart}. */
        COLD_START,
        /** {@link CloudScript#interrupt}. */
        INTERRUPT,
        /** {@link CloudScript#recommendRebalance}. */
        RECOMMEND_REBALANCE,
        /** {@link CloudScript#lose}. */
        LOSE
    }

    /** Checks that every part is there. */
    public ScriptStep {
        Objects.requireNonNull(action, "action");
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(value, "value");
    }

    /**
     * Does it.
     *
     * @param script to what
     * @throws IllegalArgumentException if the value is not of the kind that the action needs
     */
    public void applyTo(CloudScript script) {
        switch (action) {
            case PRICE -> script.setPrice(target, number());
            case CAPACITY -> script.setCapacity(target, count());
            case BOOT_DELAY -> script.setBootDelay(target, duration());
            case FAIL_BOOTS -> script.failBoots(target, count());
            case SERVERLESS_PRICE -> script.setServerlessPrice(target, number());
            case COLD_START -> script.setColdStart(duration());
            case INTERRUPT -> script.interrupt(target, duration());
            case RECOMMEND_REBALANCE -> script.recommendRebalance(target);
            case LOSE -> script.lose(target);
        }
    }

    private BigDecimal number() {
        try {
            return new BigDecimal(value);
        } catch (NumberFormatException e) {
            throw wrong("a number like 0.24", e);
        }
    }

    private int count() {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw wrong("a whole number", e);
        }
    }

    private Duration duration() {
        try {
            return Duration.parse(value);
        } catch (DateTimeParseException e) {
            throw wrong("an ISO 8601 duration like PT2M", e);
        }
    }

    private IllegalArgumentException wrong(String allowed, RuntimeException cause) {
        return new IllegalArgumentException("value of " + action + " is '" + value + "' but must be " + allowed, cause);
    }
}
