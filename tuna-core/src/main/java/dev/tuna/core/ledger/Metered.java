package dev.tuna.core.ledger;

import dev.tuna.spi.LedgerEntry;
import java.util.List;
import java.util.Objects;

/**
 * What comes of showing a meter an observation. Store both parts together: an entry without its meter is billed again
 * after a restart, a meter without its entry is never billed.
 *
 * @param <M> the kind of meter
 * @param meter the meter from now on
 * @param entries what is to be appended to the ledger; often nothing
 */
public record Metered<M>(M meter, List<LedgerEntry> entries) {

    /** Copies the list. */
    public Metered {
        Objects.requireNonNull(meter, "meter");
        entries = List.copyOf(entries);
    }
}
