package dev.tuna.core.ledger;

import dev.tuna.spi.LedgerEntry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;

/**
 * Bills one serverless endpoint by the growth of a reading of container time: the provider's own meter where it has one,
 * {@link ContainerMeter#time()} where it has none (then every entry is marked as an estimate).
 *
 * <p>Time is billed at the price that held when it began to pass. A price that becomes known only later holds for what is
 * not entered yet; one that the provider no longer tells goes on holding. A reading that falls bills nothing until it has
 * passed its highest value again.
 *
 * @param who who is billed for what
 * @param since when the last entry ended, or the endpoint was made
 * @param entered how much container time is in the ledger
 * @param microUsdPerHour price of one container; empty if not known yet
 * @param estimated whether the readings are reckoned rather than metered by the provider
 */
public record EndpointMeter(
        BilledBackend who, Instant since, Duration entered, OptionalLong microUsdPerHour, boolean estimated) {

    /** Checks that every part is there. */
    public EndpointMeter {
        Objects.requireNonNull(who, "who");
        Objects.requireNonNull(since, "since");
        Objects.requireNonNull(entered, "entered");
        Objects.requireNonNull(microUsdPerHour, "microUsdPerHour");
    }

    /**
     * Enters what has come together since the last entry.
     *
     * @param now when the reading was taken
     * @param reading container time since the endpoint was made
     * @param price microdollars per hour of one container; empty if the provider does not tell
     * @return the meter, and one entry if the reading has grown
     */
    public Metered<EndpointMeter> read(Instant now, Duration reading, OptionalLong price) {
        OptionalLong next = price.isPresent() ? price : microUsdPerHour;
        LedgerEntry entry = upTo(now, reading, next);
        return new Metered<>(
                new EndpointMeter(who, entry.to(), entered.plus(entry.billed()), next, estimated),
                entry.billed().isZero() ? List.of() : List.of(entry));
    }

    /**
     * What is not in the ledger yet.
     *
     * @param now when the reading was taken
     * @param reading container time since the endpoint was made
     * @param containers containers that run now, 0 or more
     * @return the open span
     */
    public OpenSpan open(Instant now, Duration reading, int containers) {
        return new OpenSpan(upTo(now, reading, microUsdPerHour), rate(containers));
    }

    private OptionalLong rate(int containers) {
        if (containers == 0) {
            return OptionalLong.of(0);
        }
        return microUsdPerHour.isPresent()
                ? OptionalLong.of(Math.multiplyExact(containers, microUsdPerHour.getAsLong()))
                : OptionalLong.empty();
    }

    private LedgerEntry upTo(Instant now, Duration reading, OptionalLong latest) {
        Duration grown = reading.minus(entered);
        return who.entry(
                since,
                now.isBefore(since) ? since : now,
                grown.isNegative() ? Duration.ZERO : grown,
                microUsdPerHour.isPresent() ? microUsdPerHour : latest,
                estimated);
    }
}
