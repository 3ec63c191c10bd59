package dev.tuna.core.control;

import dev.tuna.api.Budget;
import dev.tuna.core.config.BudgetJson;
import dev.tuna.spi.StateStore;
import java.util.Optional;

/**
 * What all deployments together may cost, as the store has it, so that it holds whichever process controls them. Blocks.
 *
 * @param store where it is kept
 */
record OverallBudget(StateStore store) {

    private static final String SETTING = "overall-budget";

    /** Empty if nobody ever said. */
    Optional<Budget> stored() {
        return store.setting(SETTING).map(json -> BudgetJson.read(json, "the budget of all deployments in the store"));
    }

    /** When this returns it is on disk. */
    void store(Budget limits) {
        if (!stored().equals(Optional.of(limits))) {
            store.setSetting(SETTING, BudgetJson.write(limits));
        }
    }
}
