package dev.tuna.core.budget;

import dev.tuna.api.Budget.Period;
import dev.tuna.api.CostReport;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.EnumSet;
import java.util.Set;

/**
 * What has been spent, in US dollars.
 *
 * @param perHourNow what runs now costs this much per hour
 * @param today since midnight, UTC
 * @param thisMonth since the first of the month, UTC
 * @param unpriced of which of these a part has no known price, which is counted as nothing
 */
public record Spent(BigDecimal perHourNow, BigDecimal today, BigDecimal thisMonth, Set<Period> unpriced) {

    /** Nothing. */
    public static final Spent NOTHING = new Spent(BigDecimal.ZERO, BigDecimal.ZERO, BigDecimal.ZERO, Set.of());

    /** Copies the set. */
    public Spent {
        unpriced = Set.copyOf(unpriced);
    }

    /**
     * What a bill says about this day and month.
     *
     * @param bill up to now
     * @param now which day and month
     * @return what was spent
     */
    public static Spent of(CostReport bill, Instant now) {
        return Outlay.of(bill.deployment(), bill, now).spent(now);
    }

    /**
     * What was spent by something that runs no more.
     *
     * @param days what it has cost, by day
     * @param now which day and month
     * @return what was spent
     */
    public static Spent of(Collection<CostReport.Day> days, Instant now) {
        LocalDate today = now.atOffset(ZoneOffset.UTC).toLocalDate();
        YearMonth month = YearMonth.from(today);
        BigDecimal ofDay = BigDecimal.ZERO;
        BigDecimal ofMonth = BigDecimal.ZERO;
        Set<Period> unpriced = EnumSet.noneOf(Period.class);
        for (CostReport.Day day : days) {
            BigDecimal usd = day.usd().orElse(BigDecimal.ZERO);
            boolean unknown = day.usd().isEmpty() && !day.billed().isZero();
            if (day.day().equals(today)) {
                ofDay = ofDay.add(usd);
                if (unknown) {
                    unpriced.add(Period.DAY);
                }
            }
            if (YearMonth.from(day.day()).equals(month)) {
                ofMonth = ofMonth.add(usd);
                if (unknown) {
                    unpriced.add(Period.MONTH);
                }
            }
        }
        return new Spent(BigDecimal.ZERO, ofDay, ofMonth, unpriced);
    }

    /**
     * Both together.
     *
     * @param other what somebody else spent
     * @return the sums
     */
    public Spent plus(Spent other) {
        Set<Period> both = EnumSet.noneOf(Period.class);
        both.addAll(unpriced);
        both.addAll(other.unpriced);
        return new Spent(
                perHourNow.add(other.perHourNow), today.add(other.today), thisMonth.add(other.thisMonth), both);
    }

    boolean isComplete(Period period) {
        return !unpriced.contains(period);
    }

    BigDecimal in(Period period) {
        return switch (period) {
            case HOUR -> perHourNow;
            case DAY -> today;
            case MONTH -> thisMonth;
        };
    }
}
