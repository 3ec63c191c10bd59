package dev.tuna.core.budget;

import dev.tuna.api.Budget.Period;
import dev.tuna.api.CostReport;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * What one deployment has cost this month and costs now, as one controller tells it to another. Immutable.
 *
 * @param deployment under which id its ledger is kept, whoever looks after it
 * @param days what was spent, by UTC day and tier; none of another month
 * @param usdPerHour what of it runs now costs per hour
 * @param priced whether all that runs has a known price
 */
public record Outlay(String deployment, List<CostReport.Day> days, BigDecimal usdPerHour, boolean priced) {

    /** Copies the list. */
    public Outlay {
        Objects.requireNonNull(deployment, "deployment");
        Objects.requireNonNull(usdPerHour, "usdPerHour");
        days = List.copyOf(days);
    }

    /**
     * Of a deployment that lives.
     *
     * @param deployment under which id its ledger is kept
     * @param bill up to now
     * @param now which month
     * @return what of it is told
     */
    public static Outlay of(String deployment, CostReport bill, Instant now) {
        boolean priced = bill.lines().stream()
                .allMatch(line -> !line.running() || line.usd().isPresent());
        return new Outlay(deployment, ofMonth(bill.days(), now), bill.usdPerHourNow(), priced);
    }

    /**
     * Of a deployment that is over.
     *
     * @param deployment under which id its ledger is kept
     * @param days what it has cost
     * @param now which month
     * @return what of it is told
     */
    public static Outlay ended(String deployment, List<CostReport.Day> days, Instant now) {
        return new Outlay(deployment, ofMonth(days, now), BigDecimal.ZERO, true);
    }

    private static List<CostReport.Day> ofMonth(List<CostReport.Day> days, Instant now) {
        YearMonth month = YearMonth.from(now.atOffset(ZoneOffset.UTC));
        return days.stream()
                .filter(day -> YearMonth.from(day.day()).equals(month))
                .toList();
    }

    /**
     * What that comes to.
     *
     * @param now which day and month
     * @return what was spent, with what runs
     */
    public Spent spent(Instant now) {
        return past(now)
                .plus(new Spent(usdPerHour, BigDecimal.ZERO, BigDecimal.ZERO, priced ? Set.of() : Set.of(Period.HOUR)));
    }

    /**
     * What that comes to where it is not known any more what runs.
     *
     * @param now which day and month
     * @return what was spent
     */
    public Spent past(Instant now) {
        return Spent.of(days, now);
    }
}
