package dev.tuna.examples.command;

import dev.tuna.api.Budget;
import java.util.Locale;

/** The actions of a budget as words of a command line. */
enum BudgetAction {
    WARN(Budget.Action.WARN),
    STOP_SCALING(Budget.Action.STOP_SCALING),
    SERVERLESS_ONLY(Budget.Action.SERVERLESS_ONLY),
    REFUSE(Budget.Action.REFUSE);

    private final Budget.Action action;

    BudgetAction(Budget.Action action) {
        this.action = action;
    }

    Budget.Action action() {
        return action;
    }

    /** As written on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
