package dev.tuna.core.budget;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What a replica cost when one was last offered or went. Without it a deployment that has none would think each time that it
 * does not know yet what one costs, and try one. It is forgotten after an hour, since prices fall too.
 *
 * @param usdPerHour US dollars per hour
 * @param until up to when it is believed, in steady time
 */
public record LastPrice(BigDecimal usdPerHour, Instant until) {

    private static final Duration BELIEVED = Duration.ofHours(1);

    /** No price is known. */
    public static final LastPrice NONE = new LastPrice(BigDecimal.ZERO, Instant.MIN);

    /**
     * A price that has just been seen.
     *
     * @param usdPerHour US dollars per hour
     * @param now steady time
     * @return that price, for an hour
     */
    public static LastPrice seen(BigDecimal usdPerHour, Instant now) {
        return new LastPrice(usdPerHour, now.plus(BELIEVED));
    }

    /**
     * The price, unless it is too old.
     *
     * @param now steady time
     * @return US dollars per hour; empty if unknown
     */
    public Optional<BigDecimal> at(Instant now) {
        return Optional.of(usdPerHour).filter(usd -> now.isBefore(until));
    }
}
