package dev.tuna.core.ledger;

import dev.tuna.spi.LedgerEntry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;

/**
 * Bills one rented machine from launch to confirmed end, each stretch at the price that held in it.
 *
 * <p>A price that becomes known only later holds from the start of the open span; one that the cloud no longer tells goes
 * on holding. A clock that jumps back bills nothing twice: time before the open span counts as its start.
 *
 * @param who who is billed for what
 * @param since start of the open span: launch, or the last price change
 * @param microUsdPerHour price in the open span; empty if not known yet
 */
public record ReplicaMeter(BilledBackend who, Instant since, OptionalLong microUsdPerHour) {

    /** Checks that every part is there. */
    public ReplicaMeter {
        Objects.requireNonNull(who, "who");
        Objects.requireNonNull(since, "since");
        Objects.requireNonNull(microUsdPerHour, "microUsdPerHour");
    }

    /**
     * Takes note of the price. A change closes the open span and starts another.
     *
     * @param now when the price was seen
     * @param price microdollars per hour; empty if the cloud does not tell
     * @return the meter, and the span at the old price if the price has changed
     */
    public Metered<ReplicaMeter> priced(Instant now, OptionalLong price) {
        if (price.isEmpty() || price.equals(microUsdPerHour)) {
            return new Metered<>(this, List.of());
        }
        if (microUsdPerHour.isEmpty()) {
            return new Metered<>(new ReplicaMeter(who, since, price), List.of());
        }
        return new Metered<>(new ReplicaMeter(who, notBefore(since, now), price), end(now));
    }

    /**
     * Ends the billing.
     *
     * @param end when the machine ended, as its cloud says
     * @return the last span; none if no time has passed since the last entry
     */
    public List<LedgerEntry> end(Instant end) {
        return entries(upTo(end, false));
    }

    /**
     * Ends the billing where the cloud does not say when the machine ended.
     *
     * @param latest when it must have ended
     * @return the last span, marked as an estimate; none if no time has passed since the last entry
     */
    public List<LedgerEntry> endAbout(Instant latest) {
        return entries(upTo(latest, true));
    }

    private static List<LedgerEntry> entries(LedgerEntry last) {
        return last.billed().isZero() ? List.of() : List.of(last);
    }

    /**
     * What is not in the ledger yet.
     *
     * @param now up to when
     * @return the open span
     */
    public OpenSpan open(Instant now) {
        return new OpenSpan(upTo(now, false), microUsdPerHour);
    }

    private LedgerEntry upTo(Instant to, boolean estimated) {
        Instant end = notBefore(since, to);
        return who.entry(since, end, Duration.between(since, end), microUsdPerHour, estimated);
    }

    private static Instant notBefore(Instant earliest, Instant time) {
        return time.isBefore(earliest) ? earliest : time;
    }
}
