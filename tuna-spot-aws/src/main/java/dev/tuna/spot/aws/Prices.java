package dev.tuna.spot.aws;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Prices in dollars an hour of Linux in a region. Immutable.
 *
 * @param usdPerHour by the type's name for list prices, by {@link #key} for spot prices; without those that are unknown
 * @param asOf when they were read
 * @param source where from
 */
record Prices(Map<String, BigDecimal> usdPerHour, Instant asOf, String source) {

    static final String LIVE = "live";

    /** Nothing is known. */
    static final Prices NONE = new Prices(Map.of(), BuiltIn.AS_OF, BuiltIn.SOURCE);

    Prices {
        usdPerHour = Map.copyOf(usdPerHour);
        Objects.requireNonNull(asOf, "asOf");
        Objects.requireNonNull(source, "source");
    }

    static String key(String zone, String type) {
        return zone + "/" + type;
    }

    Optional<BigDecimal> of(String key) {
        return Optional.ofNullable(usdPerHour.get(key));
    }
}
