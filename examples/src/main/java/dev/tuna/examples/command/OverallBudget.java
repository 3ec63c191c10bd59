package dev.tuna.examples.command;

import dev.tuna.api.Budget;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What all deployments together may cost from now on. */
final class OverallBudget {

    @Option(
            names = "--total-budget-per-hour",
            paramLabel = "USD",
            description = "What all deployments together may cost per hour at any moment.")
    private Optional<BigDecimal> perHour = Optional.empty();

    @Option(
            names = "--total-budget-per-day",
            paramLabel = "USD",
            description = "What all deployments together may cost in one UTC day.")
    private Optional<BigDecimal> perDay = Optional.empty();

    @Option(
            names = "--total-budget-per-month",
            paramLabel = "USD",
            description = "What all deployments together may cost in one UTC month.")
    private Optional<BigDecimal> perMonth = Optional.empty();

    @Option(
            names = "--total-budget-action",
            paramLabel = "ACTION",
            description = "What happens then: ${COMPLETION-CANDIDATES} (default: warn).")
    private Optional<BudgetAction> action = Optional.empty();

    /**
     * What is to hold; empty for what holds already.
     *
     * @throws ConfigurationException if it cannot
     */
    Optional<Budget> budget() {
        boolean limited = perHour.isPresent() || perDay.isPresent() || perMonth.isPresent();
        if (action.isPresent() && !limited) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "--total-budget-action needs a limit, for instance --total-budget-per-day 20");
        }
        return limited
                ? Optional.of(new Budget(
                        perHour,
                        perDay,
                        perMonth,
                        action.map(BudgetAction::action).orElse(Budget.NONE.action())))
                : Optional.empty();
    }

    /** The same options again, for another process. */
    List<String> words() {
        var words = new ArrayList<String>();
        perHour.ifPresent(usd -> words.add("--total-budget-per-hour=" + usd.toPlainString()));
        perDay.ifPresent(usd -> words.add("--total-budget-per-day=" + usd.toPlainString()));
        perMonth.ifPresent(usd -> words.add("--total-budget-per-month=" + usd.toPlainString()));
        action.ifPresent(each -> words.add("--total-budget-action=" + each));
        return words;
    }
}
