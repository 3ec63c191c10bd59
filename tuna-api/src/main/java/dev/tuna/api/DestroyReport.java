package dev.tuna.api;

import java.util.List;
import java.util.Objects;

/**
 * How a destroy ended.
 *
 * @param deployment which deployment
 * @param removed every outside resource that was removed, as provider and id
 * @param cost the final bill
 */
public record DestroyReport(String deployment, List<String> removed, CostReport cost) {

    /** Copies the list. */
    public DestroyReport {
        Objects.requireNonNull(deployment, "deployment");
        removed = List.copyOf(removed);
        Objects.requireNonNull(cost, "cost");
    }
}
