package dev.tuna.examples.command;

import dev.tuna.api.Budget;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import java.math.BigDecimal;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What one deployment may cost. */
final class BudgetOptions {

    @Option(names = "--budget-per-hour", paramLabel = "USD", description = "What it may cost per hour at any moment.")
    private Optional<BigDecimal> perHour = Optional.empty();

    @Option(names = "--budget-per-day", paramLabel = "USD", description = "What it may cost in one UTC day.")
    private Optional<BigDecimal> perDay = Optional.empty();

    @Option(names = "--budget-per-month", paramLabel = "USD", description = "What it may cost in one UTC month.")
    private Optional<BigDecimal> perMonth = Optional.empty();

    @Option(
            names = "--budget-action",
            paramLabel = "ACTION",
            description = "What happens then: ${COMPLETION-CANDIDATES} (default: warn).")
    private Optional<BudgetAction> action = Optional.empty();

    /** Whether anything is said here. */
    boolean any() {
        return perHour.isPresent() || perDay.isPresent() || perMonth.isPresent() || action.isPresent();
    }

    /** What is said here goes before what the file says. */
    Budget over(Budget file) {
        var budget = new Budget(
                perHour.or(file::usdPerHour),
                perDay.or(file::usdPerDay),
                perMonth.or(file::usdPerMonth),
                action.map(BudgetAction::action).orElse(file.action()));
        if (action.isPresent()
                && budget.usdPerHour().isEmpty()
                && budget.usdPerDay().isEmpty()
                && budget.usdPerMonth().isEmpty()) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST, "--budget-action needs a limit, for instance --budget-per-day 20");
        }
        return budget;
    }
}
