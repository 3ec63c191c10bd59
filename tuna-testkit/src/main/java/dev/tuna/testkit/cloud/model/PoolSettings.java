package dev.tuna.testkit.cloud.model;

import dev.tuna.api.Tier;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Objects;

/**
 * A capacity pool as the cloud starts with it.
 *
 * @param region region name
 * @param zone zone name, unique over all regions
 * @param machineType name of the machine type
 * @param tier {@link Tier#SPOT} or {@link Tier#ON_DEMAND}
 * @param gpu canonical GPU name
 * @param gpuCount GPUs in one machine, 1 or more
 * @param usdPerHour US dollars per hour for one machine
 * @param capacity machines that can be rented at once
 * @param bootDelay from launch until the model server starts
 */
public record PoolSettings(
        String region,
        String zone,
        String machineType,
        Tier tier,
        String gpu,
        int gpuCount,
        BigDecimal usdPerHour,
        int capacity,
        Duration bootDelay) {

    /** Checks ranges. */
    public PoolSettings {
        Objects.requireNonNull(region, "region");
        Objects.requireNonNull(zone, "zone");
        Objects.requireNonNull(machineType, "machineType");
        Objects.requireNonNull(gpu, "gpu");
        if ((zone + machineType).contains("/")) {
            throw new IllegalArgumentException(
                    "zone '" + zone + "' and machineType '" + machineType + "' must not contain /");
        }
        if (tier == Tier.SERVERLESS) {
            throw new IllegalArgumentException("tier of a pool is SERVERLESS but must be SPOT or ON_DEMAND");
        }
        if (gpuCount < 1 || capacity < 0 || usdPerHour.signum() < 0 || bootDelay.isNegative()) {
            throw new IllegalArgumentException("pool " + zone + "/" + machineType + "/" + tier
                    + " needs gpuCount of 1 or more (is " + gpuCount + "), capacity (" + capacity + "), usdPerHour ("
                    + usdPerHour + ") and bootDelay (" + bootDelay + ") of 0 or more");
        }
    }

    /**
     * The pool's name in this cloud.
     *
     * @return {@code zone/machineType/tier}
     */
    public String id() {
        return zone + "/" + machineType + "/" + tier;
    }

    /**
     * The same pool with another boot delay.
     *
     * @param delay zero or longer
     * @return a copy
     */
    public PoolSettings withBootDelay(Duration delay) {
        return new PoolSettings(region, zone, machineType, tier, gpu, gpuCount, usdPerHour, capacity, delay);
    }
}
