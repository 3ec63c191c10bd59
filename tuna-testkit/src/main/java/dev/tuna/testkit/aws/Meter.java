package dev.tuna.testkit.aws;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What an instance has run, and for how much: what a bill is compared with.
 *
 * @param instance its id
 * @param pool where it came from
 * @param launched when it was launched
 * @param running since when it is billed
 * @param ended when it began to end, which ends its bill; empty while it runs
 * @param reason code of why it ended; empty while it runs
 * @param prices dollars an hour from an instant on; of a spot instance the price of its pool, else the list price
 */
public record Meter(
        String instance,
        Pool pool,
        Instant launched,
        Instant running,
        Optional<Instant> ended,
        String reason,
        NavigableMap<Instant, BigDecimal> prices) {

    private static final Duration HOUR = Duration.ofHours(1);
    private static final int SCALE = 12;

    /** Copies the prices. */
    public Meter {
        Objects.requireNonNull(instance, "instance");
        Objects.requireNonNull(pool, "pool");
        Objects.requireNonNull(launched, "launched");
        Objects.requireNonNull(running, "running");
        Objects.requireNonNull(ended, "ended");
        Objects.requireNonNull(reason, "reason");
        prices = new TreeMap<>(prices);
    }

    /**
     * What it has cost: each hour of its run at the price of that hour's beginning, to the second.
     *
     * @param now until when, if it still runs
     * @return US dollars
     */
    public BigDecimal usd(Instant now) {
        Instant end = ended.filter(at -> at.isBefore(now)).orElse(now);
        BigDecimal sum = BigDecimal.ZERO;
        for (Instant hour = running; hour.isBefore(end); hour = hour.plus(HOUR)) {
            Instant until = hour.plus(HOUR).isBefore(end) ? hour.plus(HOUR) : end;
            BigDecimal share = BigDecimal.valueOf(Duration.between(hour, until).toMillis())
                    .divide(BigDecimal.valueOf(HOUR.toMillis()), SCALE, RoundingMode.HALF_UP);
            sum = sum.add(share.multiply(priceAt(hour)));
        }
        return sum;
    }

    private BigDecimal priceAt(Instant when) {
        Instant since = prices.floorKey(when);
        return since == null ? prices.firstEntry().getValue() : prices.getOrDefault(since, BigDecimal.ZERO);
    }
}
