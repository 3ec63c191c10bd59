package dev.tuna.core.budget;

import dev.tuna.api.Budget;
import dev.tuna.api.Budget.Action;
import dev.tuna.api.Budget.Period;
import dev.tuna.api.BudgetUse;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Compares what was spent with what may be. Pure. */
public final class Budgets {

    private Budgets() {}

    /**
     * How things stand.
     *
     * @param uses one for each limit, the shortest period first
     * @param memory for the next time
     */
    public record Standing(List<BudgetUse> uses, RateMemory memory) {

        /** Copies the list. */
        public Standing {
            uses = List.copyOf(uses);
        }
    }

    /**
     * Looks at every limit of a budget.
     *
     * @param budget the limits
     * @param overall whether they are on all deployments together
     * @param spent by those that they are on
     * @param memory of the last time
     * @param now wall time
     * @return how things stand
     */
    public static Standing look(Budget budget, boolean overall, Spent spent, RateMemory memory, Instant now) {
        var uses = new ArrayList<BudgetUse>();
        RateMemory next = RateMemory.NONE;
        for (Period period : Period.values()) {
            Optional<BigDecimal> limit = limit(budget, period);
            if (limit.isEmpty()) {
                continue;
            }
            BigDecimal used = spent.in(period);
            boolean hit = period == Period.HOUR
                    ? used.compareTo(limit.get()) > 0 || memory.holds(limit.get(), now)
                    : used.compareTo(limit.get()) >= 0;
            Optional<Instant> until = hit ? Optional.of(end(period, now)) : Optional.empty();
            if (period == Period.HOUR && hit && budget.action().compareTo(Action.SERVERLESS_ONLY) >= 0) {
                next = new RateMemory(limit.get(), end(period, now));
            }
            uses.add(new BudgetUse(
                    overall, period, limit.get(), used, spent.isComplete(period), budget.action(), until));
        }
        return new Standing(uses, next);
    }

    private static Optional<BigDecimal> limit(Budget budget, Period period) {
        return switch (period) {
            case HOUR -> budget.usdPerHour();
            case DAY -> budget.usdPerDay();
            case MONTH -> budget.usdPerMonth();
        };
    }

    private static Instant end(Period period, Instant now) {
        LocalDate today = now.atOffset(ZoneOffset.UTC).toLocalDate();
        return switch (period) {
            case HOUR -> now.truncatedTo(ChronoUnit.HOURS).plus(1, ChronoUnit.HOURS);
            case DAY -> today.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
            case MONTH ->
                today.withDayOfMonth(1)
                        .plusMonths(1)
                        .atStartOfDay(ZoneOffset.UTC)
                        .toInstant();
        };
    }
}
