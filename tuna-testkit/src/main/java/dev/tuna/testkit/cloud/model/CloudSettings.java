package dev.tuna.testkit.cloud.model;

import dev.tuna.api.Tier;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * A cloud as it starts.
 *
 * @param pools what machines there are to rent
 * @param serverlessPrices canonical GPU name to US dollars per GPU and hour of container time
 * @param coldStart from the start of a container until its model server starts
 * @param deployTime from making an endpoint until it takes requests
 * @param queueLimit requests that may wait at one endpoint; more get 429
 * @param endedMemory how long ended replicas and endpoints are remembered
 */
public record CloudSettings(
        List<PoolSettings> pools,
        Map<String, BigDecimal> serverlessPrices,
        Duration coldStart,
        Duration deployTime,
        int queueLimit,
        Duration endedMemory) {

    /** The one region of the cloud unless pools say otherwise. */
    public static final String REGION = "local-1";

    /** GPUs that one serverless container can have. */
    public static final List<Integer> CONTAINER_GPU_COUNTS = List.of(1, 2, 4, 8);

    /**
     * Two zones with one L4 or one H100 per machine, spot and on-demand, and both as serverless; boots take no time
     * beyond what the model server needs. Prices are close to what large clouds asked in November 2026.
     */
    public static final CloudSettings DEFAULT = new CloudSettings(
            defaultPools(),
            Map.of("L4", new BigDecimal("1.10"), "H100", new BigDecimal("4.50")),
            Duration.ZERO,
            Duration.ZERO,
            1000,
            Duration.ofHours(1));

    /** Copies collections and checks ranges. */
    public CloudSettings {
        pools = List.copyOf(pools);
        serverlessPrices = Map.copyOf(serverlessPrices);
        Objects.requireNonNull(coldStart, "coldStart");
        Objects.requireNonNull(deployTime, "deployTime");
        Objects.requireNonNull(endedMemory, "endedMemory");
        if (queueLimit < 0 || coldStart.isNegative() || deployTime.isNegative() || endedMemory.isNegative()) {
            throw new IllegalArgumentException("queueLimit (" + queueLimit + "), coldStart (" + coldStart
                    + "), deployTime (" + deployTime + ") and endedMemory (" + endedMemory + ") must be 0 or more");
        }
    }

    /**
     * The same cloud with other pools.
     *
     * @param pools all of them
     * @return a copy
     */
    public CloudSettings withPools(List<PoolSettings> pools) {
        return new CloudSettings(pools, serverlessPrices, coldStart, deployTime, queueLimit, endedMemory);
    }

    /**
     * The same cloud with other serverless GPUs.
     *
     * @param prices all of them: canonical GPU name to US dollars per GPU and hour
     * @return a copy
     */
    public CloudSettings withServerlessPrices(Map<String, BigDecimal> prices) {
        return new CloudSettings(pools, prices, coldStart, deployTime, queueLimit, endedMemory);
    }

    /**
     * The same cloud with another cold start.
     *
     * @param delay zero or longer
     * @return a copy
     */
    public CloudSettings withColdStart(Duration delay) {
        return new CloudSettings(pools, serverlessPrices, delay, deployTime, queueLimit, endedMemory);
    }

    /**
     * The same cloud with another time to deploy.
     *
     * @param delay zero or longer
     * @return a copy
     */
    public CloudSettings withDeployTime(Duration delay) {
        return new CloudSettings(pools, serverlessPrices, coldStart, delay, queueLimit, endedMemory);
    }

    /**
     * The same cloud with another bound on waiting requests.
     *
     * @param requests 0 or more
     * @return a copy
     */
    public CloudSettings withQueueLimit(int requests) {
        return new CloudSettings(pools, serverlessPrices, coldStart, deployTime, requests, endedMemory);
    }

    /**
     * The same cloud with one boot delay in every pool.
     *
     * @param delay zero or longer
     * @return a copy
     */
    public CloudSettings withBootDelay(Duration delay) {
        return withPools(pools.stream().map(pool -> pool.withBootDelay(delay)).toList());
    }

    private static List<PoolSettings> defaultPools() {
        List<PoolSettings> pools = new ArrayList<>();
        for (String zone : List.of("local-1a", "local-1b")) {
            pools.add(pool(zone, "L4", Tier.SPOT, "0.24"));
            pools.add(pool(zone, "L4", Tier.ON_DEMAND, "0.80"));
            pools.add(pool(zone, "H100", Tier.SPOT, "1.60"));
            pools.add(pool(zone, "H100", Tier.ON_DEMAND, "3.90"));
        }
        return pools;
    }

    private static PoolSettings pool(String zone, String gpu, Tier tier, String usdPerHour) {
        String type = gpu.toLowerCase(Locale.ROOT) + "-1";
        return new PoolSettings(REGION, zone, type, tier, gpu, 1, new BigDecimal(usdPerHour), 8, Duration.ZERO);
    }
}
