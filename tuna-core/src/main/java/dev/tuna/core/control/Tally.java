package dev.tuna.core.control;

import dev.tuna.api.Tier;
import dev.tuna.core.ledger.Days;
import dev.tuna.spi.LedgerEntry;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * The ledger of one deployment added up: one entry per backend and kind of price, and a sum for each day, so that a bill
 * needs no look into the store. Immutable.
 */
record Tally(Map<Tally.Key, LedgerEntry> sums, Days days) {

    static final Tally EMPTY = new Tally(Map.of(), Days.NONE);

    /** What is added up into one. */
    record Key(Tier tier, String provider, String backend, boolean priced) {}

    Tally plus(Collection<LedgerEntry> entries) {
        if (entries.isEmpty()) {
            return this;
        }
        return new Tally(added(entries), days.plus(entries));
    }

    Tally plus(Tally other) {
        return new Tally(added(other.sums.values()), days.plus(other.days));
    }

    private Map<Key, LedgerEntry> added(Collection<LedgerEntry> entries) {
        var added = new LinkedHashMap<>(sums);
        entries.forEach(entry -> added.merge(
                new Key(
                        entry.tier(),
                        entry.provider(),
                        entry.backend(),
                        entry.microUsd().isPresent()),
                entry,
                Tally::sum));
        return added;
    }

    List<LedgerEntry> entries() {
        return List.copyOf(sums.values());
    }

    private static LedgerEntry sum(LedgerEntry left, LedgerEntry right) {
        return new LedgerEntry(
                left.deploymentId(),
                left.tier(),
                left.provider(),
                left.backend(),
                left.from().isBefore(right.from()) ? left.from() : right.from(),
                left.to().isAfter(right.to()) ? left.to() : right.to(),
                left.billed().plus(right.billed()),
                right.microUsdPerHour(),
                left.microUsd().isPresent() && right.microUsd().isPresent()
                        ? OptionalLong.of(Math.addExact(
                                left.microUsd().getAsLong(), right.microUsd().getAsLong()))
                        : OptionalLong.empty(),
                left.estimated() || right.estimated());
    }
}
