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
 * @param action what happens while the limit is hit
 * @param hitUntil until when it is hit unless the limit is raised; empty if it is not
 */
public record BudgetUse(
        boolean overall,
        Budget.Period period,
        BigDecimal limitUsd,
        BigDecimal usedUsd,
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
}
