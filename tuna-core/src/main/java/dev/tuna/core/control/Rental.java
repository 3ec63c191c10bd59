package dev.tuna.core.control;

import dev.tuna.core.ledger.Money;
import dev.tuna.core.ledger.OpenSpan;
import dev.tuna.spi.LedgerEntry;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateSnapshot;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/**
 * Enters the rent of the machine that all this runs on into the books of those who live on it. Anybody may ask for the bill's
 * part of it; the rest is the control loop's alone.
 */
final class Rental {

    private final Names names;
    private final StoreWriter writer;
    private volatile Optional<Rent> rent;

    /** Whoever reads books and rent together must not do so between the one's change and the other's. */
    private final ReadWriteLock books = new ReentrantReadWriteLock();

    Rental(Optional<HostMachine> machine, StateSnapshot stored, Names names, StoreWriter writer) {
        this.names = names;
        this.writer = writer;
        this.rent = machine.map(rented -> Rent.of(rented, stored.resources()));
    }

    boolean isDue() {
        return rent.isPresent();
    }

    /** From now on; if no price was known, the new one holds for all that is not paid. On disk when this returns. */
    void costs(BigDecimal usdPerHour, Instant now) {
        if (rent.isEmpty() || rent.get().machine().costs(usdPerHour)) {
            return;
        }
        if (rent.get().machine().usdPerHour().isPresent()) {
            pay(now);
        }
        Rent changed = rent.get().costing(usdPerHour);
        rent = Optional.of(changed);
        writer.write(new StateChange(List.of(), List.of(changed.record()), List.of()), () -> {});
    }

    /** What a deployment has still to pay. */
    Optional<OpenSpan> open(Service service, Instant now) {
        Managed managed = service.current().state();
        return managed.isOver() || service.held
                ? Optional.empty()
                : rent.map(due -> due.open(managed.revision().account(), payers().size(), now));
    }

    /** Does something with books to which no rent is entered meanwhile. */
    <T> T whileStill(Supplier<T> work) {
        books.readLock().lock();
        try {
            return work.get();
        } finally {
            books.readLock().unlock();
        }
    }

    /** In US dollars; zero if there is no machine, or nobody knows its price. */
    BigDecimal usdPerHour(Service service, Instant now) {
        return open(service, now)
                .flatMap(open -> Money.usd(open.microUsdPerHourNow()))
                .orElse(BigDecimal.ZERO);
    }

    private List<Service> payers() {
        return names.all().stream().filter(service -> !service.held).toList();
    }

    /** Up to now, by those who are here. While nobody is, it is left to the next one who comes. */
    void pay(Instant now) {
        List<Service> payers = payers();
        if (payers.isEmpty()) {
            return;
        }
        books.writeLock().lock();
        try {
            rent = rent.map(due -> now.isAfter(due.paidUntil()) ? pay(due, payers, now) : due);
        } finally {
            books.writeLock().unlock();
        }
    }

    private Rent pay(Rent due, List<Service> payers, Instant now) {
        var entries = new ArrayList<LedgerEntry>();
        for (Service service : payers) {
            Slot slot = service.current();
            LedgerEntry part = due.part(slot.state().revision().account(), payers.size(), now);
            slot.swap(slot.state()
                    .with(draft -> draft.accounts =
                            draft.accounts.withTally(draft.accounts.tally().plus(List.of(part)))));
            entries.add(part);
        }
        Rent paid = due.paid(now);
        // In one write: nobody's part is entered without the others', nor twice.
        writer.write(new StateChange(List.of(), List.of(paid.record()), entries), () -> {});
        return paid;
    }
}
