package dev.tuna.testkit.cloud.model;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Time from start to stop and what it costs at the prices of the time. Guarded by the model's lock. */
final class Meter {

    private static final BigDecimal NANOS_PER_HOUR =
            BigDecimal.valueOf(Duration.ofHours(1).toNanos());

    private final Instant start;
    private Instant priceSince;
    private BigDecimal usdPerHour;
    /** Dollars per hour times nanoseconds, which is exact. */
    private BigDecimal settled = BigDecimal.ZERO;

    private @Nullable Instant stop;

    Meter(Instant start, BigDecimal usdPerHour) {
        this.start = start;
        this.priceSince = start;
        this.usdPerHour = usdPerHour;
    }

    Instant start() {
        return start;
    }

    BigDecimal usdPerHour() {
        return usdPerHour;
    }

    void reprice(Instant now, BigDecimal price) {
        if (stop == null) {
            settled = settled.add(sincePriceChange(now));
            priceSince = now;
            usdPerHour = price;
        }
    }

    void stop(Instant now) {
        reprice(now, usdPerHour);
        if (stop == null) {
            stop = now;
        }
    }

    Duration time(Instant now) {
        return notNegative(Duration.between(start, stop == null ? now : stop));
    }

    BigDecimal usd(Instant now) {
        BigDecimal all = stop == null ? settled.add(sincePriceChange(now)) : settled;
        return all.divide(NANOS_PER_HOUR, 12, RoundingMode.HALF_UP);
    }

    private BigDecimal sincePriceChange(Instant now) {
        Duration span = notNegative(Duration.between(priceSince, now));
        return usdPerHour.multiply(BigDecimal.valueOf(span.toNanos()));
    }

    /** A wall clock that was set back must not pay money out. */
    private static Duration notNegative(Duration span) {
        return span.isNegative() ? Duration.ZERO : span;
    }
}
