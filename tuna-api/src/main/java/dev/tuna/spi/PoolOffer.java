package dev.tuna.spi;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * A capacity pool that fits a spec, with its price.
 *
 * @param pool the pool
 * @param gpu canonical GPU name
 * @param gpuCount GPUs in one machine, at least as many as asked for
 * @param usdPerHour price of one machine now; empty if unknown, which never means free
 * @param asOf when the price was read
 * @param source where the price comes from, for instance {@code live} or {@code built-in table}
 */
public record PoolOffer(
        CapacityPool pool, String gpu, int gpuCount, Optional<BigDecimal> usdPerHour, Instant asOf, String source) {

    /** Checks that every part is there. */
    public PoolOffer {
        Objects.requireNonNull(pool, "pool");
        Objects.requireNonNull(gpu, "gpu");
        Objects.requireNonNull(usdPerHour, "usdPerHour");
        Objects.requireNonNull(asOf, "asOf");
        Objects.requireNonNull(source, "source");
    }
}
