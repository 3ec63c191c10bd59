package dev.tuna.core.ledger;

import dev.tuna.spi.LedgerEntry;
import java.util.Objects;
import java.util.OptionalLong;

/**
 * Something that is being billed now and is not, or not wholly, in the ledger yet.
 *
 * @param soFar what would be entered if it ended now
 * @param microUsdPerHourNow what it costs from now on, all its containers together; empty if the price is unknown
 */
public record OpenSpan(LedgerEntry soFar, OptionalLong microUsdPerHourNow) {

    /** Checks that both parts are there. */
    public OpenSpan {
        Objects.requireNonNull(soFar, "soFar");
        Objects.requireNonNull(microUsdPerHourNow, "microUsdPerHourNow");
    }

    /** Whether time costs anything now: an endpoint scaled to zero has an open span and is not billed. */
    boolean isBilledNow() {
        return microUsdPerHourNow.isEmpty() || microUsdPerHourNow.getAsLong() != 0;
    }
}
