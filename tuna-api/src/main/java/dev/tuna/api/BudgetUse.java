package dev.tuna.api;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * How much of a limit of money is used.
 *
 * @param overall whether the limit is on all deployments of the installation together, else on this one
 * @param period what the limit is about
 * @param limitUsd the limit
 * @param usedUsd what has been spent in the period; for {@link Budget.Period#HOUR} what runs now costs per hour
 * @param complete whether all of it has a known price; else more was spent than {@code usedUsd}, which must not be shown as if it
 *     were all
 * @param action what happens while the limit is hit
 * @param hitUntil until when it is hit unless the limit is raised; empty if it is not
 */
public record BudgetUse(
        boolean overall,
        Budget.Period period,
        BigDecimal limitUsd,
        BigDecimal usedUsd,
        boolean complete,
        Budget.Action action,
        Optional<Instant> hitUntil) {

    /** Checks that every part is there. */
    public BudgetUse {
        Objects.requireNonNull(period, "period");
        Objects.requireNonNull(limitUsd, "limitUsd");
        Objects.requireNonNull(usedUsd, "usedUsd");
        Objects.requireNonNull(action, "action");
        Objects.requireNonNull(hitUntil, "hitUntil");
    }

    /**
     * Where all that was spent has a known price.
     *
     * @param overall as above
     * @param period as above
     * @param limitUsd as above
     * @param usedUsd as above
     * @param action as above
     * @param hitUntil as above
     */
    public BudgetUse(
            boolean overall,
            Budget.Period period,
            BigDecimal limitUsd,
            BigDecimal usedUsd,
            Budget.Action action,
            Optional<Instant> hitUntil) {
        this(overall, period, limitUsd, usedUsd, true, action, hitUntil);
    }
}
