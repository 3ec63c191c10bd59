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

    /** What holds from a start on: what is said now, which is stored, or else what was said before. */
    Budget at(Optional<Budget> said) {
        said.ifPresent(this::store);
        return stored().orElse(Budget.NONE);
    }

    void store(Budget limits) {
        if (!stored().equals(Optional.of(limits))) {
            store.setSetting(SETTING, BudgetJson.write(limits));
        }
    }
}
