package dev.tuna.api;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * A GPU at a price from a provider.
 *
 * @param provider who offers it
 * @param tier on what terms
 * @param gpu canonical GPU name
 * @param gpuCount GPUs in the machine, 1 or more
 * @param region where; empty if the provider has no regions or the price is the same everywhere
 * @param machineType the provider's name for the machine; empty if it has none
 * @param usdPerHour US dollars per hour for the whole machine; empty if unknown, which never means free
 * @param asOf when the price was read
 * @param source where the price comes from, for instance {@code live} or {@code built-in table}
 */
public record GpuOffer(
        String provider,
        Tier tier,
        String gpu,
        int gpuCount,
        Optional<String> region,
        Optional<String> machineType,
        Optional<BigDecimal> usdPerHour,
        Instant asOf,
        String source) {

    /** Checks that every part is there and the price is not negative. */
    public GpuOffer {
        Objects.requireNonNull(provider, "provider");
        Objects.requireNonNull(tier, "tier");
        Objects.requireNonNull(gpu, "gpu");
        Objects.requireNonNull(region, "region");
        Objects.requireNonNull(machineType, "machineType");
        Objects.requireNonNull(asOf, "asOf");
        Objects.requireNonNull(source, "source");
        var problems = new Problems("GPU offer of " + provider);
        problems.atLeast("gpuCount", gpuCount, 1);
        usdPerHour.ifPresent(price -> problems.check(price.signum() >= 0, "usdPerHour", price, "0 or more"));
        problems.throwIfAny();
    }
}
