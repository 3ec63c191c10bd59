package dev.tuna.core.catalog;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Tier;
import java.math.BigDecimal;
import java.util.Objects;
import java.util.Optional;

/**
 * A price that the user knows better than the provider tells it: a discount, a committed rate, one that is not published.
 *
 * @param provider whose
 * @param tier on what terms
 * @param machine what for: a machine type, or for serverless containers count and GPU, as in {@code 2 x H100}
 * @param region where it holds; empty for everywhere
 * @param usdPerHour US dollars per hour for the whole machine or container, 0 or more
 */
public record Price(String provider, Tier tier, String machine, Optional<String> region, BigDecimal usdPerHour) {

    /** Checks that every part is there and the price is not negative. */
    public Price {
        Objects.requireNonNull(provider, "provider");
        Objects.requireNonNull(tier, "tier");
        Objects.requireNonNull(machine, "machine");
        Objects.requireNonNull(region, "region");
        if (usdPerHour.signum() < 0) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "price of " + machine + " at " + provider + " is " + usdPerHour + " but must be 0 or more");
        }
    }

    /**
     * The price of a serverless container, everywhere.
     *
     * @param provider whose
     * @param gpu its GPU's name or alias
     * @param gpuCount how many it has, 1 or more
     * @param usdPerHour for the whole container
     * @return the price
     */
    public static Price ofContainer(String provider, String gpu, int gpuCount, BigDecimal usdPerHour) {
        return new Price(provider, Tier.SERVERLESS, container(gpu, gpuCount), Optional.empty(), usdPerHour);
    }

    /**
     * The price of a machine, everywhere.
     *
     * @param provider whose
     * @param tier {@link Tier#SPOT} or {@link Tier#ON_DEMAND}
     * @param machineType the provider's name for it, for instance {@code g6.xlarge}
     * @param usdPerHour for the whole machine
     * @return the price
     */
    public static Price ofMachine(String provider, Tier tier, String machineType, BigDecimal usdPerHour) {
        return new Price(provider, tier, machineType, Optional.empty(), usdPerHour);
    }

    /**
     * The same price in one region only.
     *
     * @param name the region's
     * @return a copy
     */
    public Price in(String name) {
        return new Price(provider, tier, machine, Optional.of(name), usdPerHour);
    }

    static String container(String gpu, int gpuCount) {
        return gpuCount + " x " + Offers.canonical(gpu);
    }
}
