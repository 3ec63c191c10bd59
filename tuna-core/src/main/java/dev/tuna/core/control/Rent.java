package dev.tuna.core.control;

import dev.tuna.api.Tier;
import dev.tuna.core.ledger.Money;
import dev.tuna.spi.LedgerEntry;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.OptionalLong;

/**
 * The rent of a {@link HostMachine} up to a moment. It is divided among the deployments that are there, whenever one comes or
 * goes and once a minute.
 *
 * @param machine what is rented
 * @param paidUntil up to when it is in the ledger
 */
record Rent(HostMachine machine, Instant paidUntil) {

    static final Duration INTERVAL = Duration.ofMinutes(1);

    /** Goes on after what earlier processes have entered. */
    static Rent of(HostMachine machine, Collection<Tally> tallies) {
        Instant last = tallies.stream()
                .flatMap(tally -> tally.entries().stream())
                .filter(entry -> entry.provider().equals(machine.provider())
                        && entry.backend().equals(machine.name()))
                .map(LedgerEntry::to)
                .filter(machine.since()::isBefore)
                .max(Instant::compareTo)
                .orElse(machine.since());
        return new Rent(machine, last);
    }

    /** The part of one of several deployments. */
    LedgerEntry part(String account, int deployments, Instant now) {
        Duration part = Duration.between(paidUntil, now).dividedBy(deployments);
        OptionalLong price = Money.microUsdPerHour(machine.usdPerHour());
        return new LedgerEntry(
                account,
                Tier.ON_DEMAND,
                machine.provider(),
                machine.name(),
                paidUntil,
                now,
                part,
                price,
                Money.cost(part, price),
                true);
    }

    Rent paid(Instant now) {
        return new Rent(machine, now);
    }
}
