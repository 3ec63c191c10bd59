package dev.tuna.examples.terminal;

import dev.tuna.api.Budget;
import dev.tuna.api.BudgetUse;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.Tier;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What a deployment costs, as a person wants to see it. Pure. */
public final class CostText {

    private static final int DAYS_SHOWN = 7;

    /** More than clocks differ and anybody takes to answer. */
    private static final Duration NEW = Duration.ofMinutes(1);

    private CostText() {}

    /**
     * Writes a bill out with all that belongs to it.
     *
     * @param bill the bill
     * @param status the deployment, for its age and its requests
     * @param prices offers of those who bill it, for the age of their prices; may be empty
     * @param now for ages
     * @return lines
     */
    public static List<String> lines(CostReport bill, DeploymentStatus status, List<GpuOffer> prices, Instant now) {
        var lines = new ArrayList<String>();
        lines.add(header(bill, status));
        if (status.phase() == DeploymentPhase.ACTIVE && bill.to().plus(NEW).isBefore(now)) {
            lines.add("as of " + bill.to() + ", " + span(Duration.between(bill.to(), now))
                    + " ago: nothing newer could be asked for");
        }
        lines.addAll(BillText.lines(bill));
        lines.addAll(saved(bill));
        lines.add("by tier: " + byTier(bill));
        if (bill.days().stream().map(CostReport.Day::day).distinct().count() > 1) {
            lines.addAll(days(bill));
        }
        bill.budgets().forEach(use -> lines.add(budget(use)));
        prices.forEach(offer -> lines.add(price(offer, now)));
        return lines;
    }

    private static String header(CostReport bill, DeploymentStatus status) {
        TrafficStats traffic = status.traffic();
        String split = traffic.byTier().entrySet().stream()
                .filter(tier -> tier.getValue() > 0)
                .sorted(Map.Entry.comparingByKey())
                .map(tier -> tier.getValue() + " by " + word(tier.getKey()))
                .collect(Collectors.joining(", "));
        return bill.deployment() + "  " + word(status.phase()) + " for "
                + span(Duration.between(bill.from(), bill.to())) + "  " + traffic.requests() + " requests"
                + (split.isEmpty() ? "" : ": " + split);
    }

    /** In words: whether it was worth it. */
    private static List<String> saved(CostReport bill) {
        var lines = new ArrayList<String>();
        bill.allServerless().filter(usd -> usd.signum() > 0 && bill.complete()).ifPresent(usd -> {
            BigDecimal saved = usd.subtract(bill.total());
            int percent = saved.abs()
                    .multiply(BigDecimal.valueOf(100))
                    .divide(usd, 0, RoundingMode.HALF_UP)
                    .intValue();
            if (percent > 0) {
                lines.add(
                        saved.signum() > 0
                                ? "You saved about " + Dollars.text(saved) + " against all-serverless (" + percent
                                        + "% cheaper)."
                                : "So far it has cost about " + Dollars.text(saved.negate())
                                        + " more than all-serverless; starting up costs money, serving saves it.");
            }
        });
        return lines;
    }

    private static String byTier(CostReport bill) {
        Map<Tier, BigDecimal> sums = new EnumMap<>(Tier.class);
        bill.lines().forEach(line -> sums.merge(line.tier(), line.usd().orElse(BigDecimal.ZERO), BigDecimal::add));
        return sums.isEmpty()
                ? "nothing yet"
                : sums.entrySet().stream()
                        .map(sum -> word(sum.getKey()) + " " + Dollars.text(sum.getValue()))
                        .collect(Collectors.joining(", "));
    }

    private static List<String> days(CostReport bill) {
        var byDay = new TreeMap<LocalDate, Map<Tier, BigDecimal>>();
        bill.days()
                .forEach(day -> byDay.computeIfAbsent(day.day(), key -> new EnumMap<>(Tier.class))
                        .merge(day.tier(), day.usd().orElse(BigDecimal.ZERO), BigDecimal::add));
        var table = new Table("DAY (UTC)", "SERVERLESS", "SPOT", "ON-DEMAND", "TOTAL");
        byDay.entrySet().stream()
                .skip(Math.max(0, byDay.size() - DAYS_SHOWN))
                .forEach(day -> table.row(
                        day.getKey().toString(),
                        amount(day.getValue(), Tier.SERVERLESS),
                        amount(day.getValue(), Tier.SPOT),
                        amount(day.getValue(), Tier.ON_DEMAND),
                        Dollars.text(day.getValue().values().stream().reduce(BigDecimal.ZERO, BigDecimal::add))));
        return table.lines();
    }

    private static String amount(Map<Tier, BigDecimal> sums, Tier tier) {
        return Optional.ofNullable(sums.get(tier)).map(Dollars::text).orElse("-");
    }

    /**
     * A limit and what is used of it.
     *
     * @param use how it stands
     * @return one line
     */
    public static String budget(BudgetUse use) {
        String period = use.period() == Budget.Period.HOUR ? "an hour" : "a " + word(use.period());
        int percent = use.usedUsd()
                .multiply(BigDecimal.valueOf(100))
                .divide(use.limitUsd(), 0, RoundingMode.HALF_UP)
                .intValue();
        return (use.overall() ? "overall budget: " : "budget: ") + Dollars.text(use.usedUsd()) + " of "
                + Dollars.text(use.limitUsd()) + " " + period + " (" + percent + "%), then " + word(use.action())
                + use.hitUntil().map(until -> "; HIT until " + until).orElse("")
                + (use.complete() ? "" : "; of a part only, the rest has no known price");
    }

    private static String price(GpuOffer offer, Instant now) {
        return "price: " + word(offer.tier()) + " " + offer.provider() + " "
                + offer.usdPerHour().map(usd -> Dollars.text(usd) + "/h").orElse("unknown")
                + offer.machineType().map(type -> " for " + type).orElse("")
                + ", " + age(Duration.between(offer.asOf(), now)) + " (" + offer.source() + ")";
    }

    /** How old something is. */
    static String age(Duration age) {
        return age.toSeconds() < 1 ? "just read" : span(age) + " old";
    }

    private static String span(Duration span) {
        if (span.toDays() > 0) {
            return span.toDays() + "d" + span.toHoursPart() + "h";
        }
        if (span.toHours() > 0) {
            return span.toHours() + "h" + span.toMinutesPart() + "m";
        }
        return span.toMinutes() > 0 ? span.toMinutes() + "m" + span.toSecondsPart() + "s" : span.toSeconds() + "s";
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
