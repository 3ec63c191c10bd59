package dev.tuna.spi;

import dev.tuna.api.Tier;
import java.util.Objects;

/**
 * The unit that has one price and runs dry or is reclaimed together.
 *
 * @param provider which cloud
 * @param region region name
 * @param zone zone name
 * @param machineType the cloud's name for the machine
 * @param tier {@link Tier#SPOT} or {@link Tier#ON_DEMAND}
 */
public record CapacityPool(String provider, String region, String zone, String machineType, Tier tier) {

    /** Checks that every part is there and the tier is one of machines. */
    public CapacityPool {
        Objects.requireNonNull(provider, "provider");
        Objects.requireNonNull(region, "region");
        Objects.requireNonNull(zone, "zone");
        Objects.requireNonNull(machineType, "machineType");
        if (tier == Tier.SERVERLESS) {
            throw new IllegalArgumentException("a capacity pool is SPOT or ON_DEMAND, not SERVERLESS");
        }
    }

    /** {@code provider/zone/type/tier}. */
    @Override
    public String toString() {
        return provider + "/" + zone + "/" + machineType + "/" + tier;
    }
}
