package dev.tuna.api;

import java.util.List;
import java.util.Objects;

/**
 * What all deployments of an installation together may cost, and how things stand.
 *
 * @param limits what may be spent
 * @param uses one for each limit with what is used of it, the shortest period first; empty if there is no limit
 */
public record BudgetReport(Budget limits, List<BudgetUse> uses) {

    /** Checks that every part is there and copies the list. */
    public BudgetReport {
        Objects.requireNonNull(limits, "limits");
        uses = List.copyOf(uses);
    }
}
