package dev.tuna.core.ledger;

import dev.tuna.api.CostReport;
import dev.tuna.api.Tier;
import dev.tuna.spi.LedgerEntry;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * The ledger added up by UTC day and tier. An entry that spans midnight is divided in proportion to the time on either side,
 * in whole nanoseconds and microdollars that add up to the entry. Immutable, pure.
 *
 * @param sums what was billed
 */
public record Days(Map<Key, Sum> sums) {

    /** Nothing billed. */
    public static final Days NONE = new Days(Map.of());

    private static final Comparator<Key> ORDER =
            Comparator.comparing(Key::day).thenComparing(Key::tier).thenComparing(key -> !key.priced());

    /** What is added up into one. */
    record Key(LocalDate day, Tier tier, boolean priced) {}

    /** What it comes to. */
    record Sum(Duration billed, long microUsd) {
        Sum plus(Sum other) {
            return new Sum(billed.plus(other.billed), Math.addExact(microUsd, other.microUsd));
        }
    }

    /**
     * Adds entries.
     *
     * @param entries what was billed
     * @return the days with it
     */
    public Days plus(Collection<LedgerEntry> entries) {
        if (entries.isEmpty()) {
            return this;
        }
        var added = new TreeMap<Key, Sum>(ORDER);
        added.putAll(sums);
        entries.forEach(entry -> add(added, entry));
        return new Days(added);
    }

    /**
     * Adds days.
     *
     * @param other what was billed
     * @return both together
     */
    public Days plus(Days other) {
        var added = new TreeMap<Key, Sum>(ORDER);
        added.putAll(sums);
        other.sums.forEach((key, sum) -> added.merge(key, sum, Sum::plus));
        return new Days(added);
    }

    private static void add(Map<Key, Sum> sums, LedgerEntry entry) {
        Part whole = new Part(entry);
        Instant from = entry.from();
        Sum before = new Sum(Duration.ZERO, 0);
        for (LocalDate day = day(from); !from.isAfter(entry.to()); day = day.plusDays(1)) {
            Instant midnight = day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
            Sum upTo = midnight.isBefore(entry.to()) ? whole.until(midnight) : whole.all();
            Sum part = new Sum(upTo.billed().minus(before.billed()), upTo.microUsd() - before.microUsd());
            boolean nothing = part.billed().isZero() && part.microUsd() == 0;
            if (!nothing) {
                sums.merge(new Key(day, entry.tier(), entry.microUsd().isPresent()), part, Sum::plus);
            }
            before = upTo;
            from = midnight;
        }
    }

    private static LocalDate day(Instant moment) {
        return moment.atZone(ZoneOffset.UTC).toLocalDate();
    }

    /** An entry as a quantity that grows evenly from its start to its end. */
    private record Part(LedgerEntry entry) {
        Sum all() {
            return new Sum(entry.billed(), entry.microUsd().orElse(0));
        }

        Sum until(Instant moment) {
            BigInteger passed = nanos(Duration.between(entry.from(), moment));
            BigInteger span = nanos(Duration.between(entry.from(), entry.to()));
            BigInteger billed = nanos(entry.billed()).multiply(passed).divide(span);
            BigInteger money = BigInteger.valueOf(entry.microUsd().orElse(0))
                    .multiply(passed)
                    .divide(span);
            return new Sum(Duration.ofNanos(billed.longValueExact()), money.longValueExact());
        }

        private static BigInteger nanos(Duration duration) {
            return BigInteger.valueOf(duration.toNanos());
        }
    }

    List<CostReport.Day> lines() {
        return sums.entrySet().stream()
                .map(each -> new CostReport.Day(
                        each.getKey().day(),
                        each.getKey().tier(),
                        each.getValue().billed(),
                        Money.usd(
                                each.getKey().priced()
                                        ? OptionalLong.of(each.getValue().microUsd())
                                        : OptionalLong.empty())))
                .toList();
    }
}
