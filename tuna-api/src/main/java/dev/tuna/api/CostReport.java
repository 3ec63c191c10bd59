package dev.tuna.api;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What a deployment has cost, and what the same traffic would have cost elsewhere. US dollars, exact to the microdollar.
 *
 * @param deployment which deployment
 * @param from when the bill begins
 * @param to up to when it was computed
 * @param lines one line per backend
 * @param days the same money by UTC day and tier, in this order; of a day and a tier, what has a price and what has none
 *     stand apart. The sum over all days is {@code total}
 * @param total sum of the lines; lines of unknown price are left out and {@code complete} is false
 * @param complete whether every line has a price
 * @param usdPerHourNow what runs now costs this much per hour, with its part of the machine that it is looked after on, if one
 *     is rented for that
 * @param allServerless what the same traffic would have cost on the serverless tier alone; an estimate; empty if the
 *     price is unknown
 * @param allOnDemand what the same traffic would have cost on on-demand replicas alone; an estimate; empty if the price
 *     is unknown
 * @param budgets the limits on this deployment and on all together, and how much of each is used; empty without any, and of
 *     a deployment that is over
 */
public record CostReport(
        String deployment,
        Instant from,
        Instant to,
        List<Line> lines,
        List<Day> days,
        BigDecimal total,
        boolean complete,
        BigDecimal usdPerHourNow,
        Optional<BigDecimal> allServerless,
        Optional<BigDecimal> allOnDemand,
        List<BudgetUse> budgets) {

    /** Copies the lists. */
    public CostReport {
        Objects.requireNonNull(deployment, "deployment");
        Objects.requireNonNull(from, "from");
        Objects.requireNonNull(to, "to");
        lines = List.copyOf(lines);
        days = List.copyOf(days);
        Objects.requireNonNull(total, "total");
        Objects.requireNonNull(usdPerHourNow, "usdPerHourNow");
        Objects.requireNonNull(allServerless, "allServerless");
        Objects.requireNonNull(allOnDemand, "allOnDemand");
        budgets = List.copyOf(budgets);
    }

    /**
     * The same bill with limits beside it.
     *
     * @param budgets the limits and how much of each is used
     * @return a copy
     */
    public CostReport withBudgets(List<BudgetUse> budgets) {
        return new CostReport(
                deployment, from, to, lines, days, total, complete, usdPerHourNow, allServerless, allOnDemand, budgets);
    }

    /**
     * The cost of one backend.
     *
     * @param tier what kind of machine
     * @param provider who bills it
     * @param backend which serverless endpoint or replica
     * @param billed billed machine or container time
     * @param usd its cost; empty if the price is unknown
     * @param estimated whether the time is reckoned rather than metered by the provider
     * @param running whether it is still being billed
     */
    public record Line(
            Tier tier,
            String provider,
            String backend,
            Duration billed,
            Optional<BigDecimal> usd,
            boolean estimated,
            boolean running) {}

    /**
     * The cost of one tier on one day. What was billed over midnight is divided by the time on either side.
     *
     * @param day which day, in UTC
     * @param tier what kind of machine
     * @param billed billed machine or container time
     * @param usd its cost; empty if the price is unknown
     */
    public record Day(LocalDate day, Tier tier, Duration billed, Optional<BigDecimal> usd) {

        /** Checks that every part is there. */
        public Day {
            Objects.requireNonNull(day, "day");
            Objects.requireNonNull(tier, "tier");
            Objects.requireNonNull(billed, "billed");
            Objects.requireNonNull(usd, "usd");
        }
    }
}
