package dev.tuna.core.placement;

import dev.tuna.spi.CapacityPool;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What went wrong lately in which pool. Immutable; as large as the number of pools that failed.
 *
 * @param dryAt when a pool last had no machine to give
 * @param lostAt when a pool last took a replica away
 */
public record PoolHistory(Map<CapacityPool, Instant> dryAt, Map<CapacityPool, Instant> lostAt) {

    /** How long a pool that ran dry or lost a replica is put last: about as long as shortages of spot capacity last. */
    public static final Duration MEMORY = Duration.ofMinutes(10);

    /** Nothing went wrong. */
    public static final PoolHistory NONE = new PoolHistory(Map.of(), Map.of());

    /** Copies the maps. */
    public PoolHistory {
        dryAt = Map.copyOf(dryAt);
        lostAt = Map.copyOf(lostAt);
    }

    /**
     * Notes that pools had no machine to give.
     *
     * @param pools which
     * @param now when
     * @return the history with it, without what is too old to matter
     */
    public PoolHistory dry(Collection<CapacityPool> pools, Instant now) {
        return new PoolHistory(noted(dryAt, pools, now), lostAt);
    }

    /**
     * Notes that a pool took a replica away.
     *
     * @param pool which
     * @param now when
     * @return the history with it, without what is too old to matter
     */
    public PoolHistory lost(CapacityPool pool, Instant now) {
        return new PoolHistory(dryAt, noted(lostAt, List.of(pool), now));
    }

    boolean wasDry(CapacityPool pool, Instant now) {
        return isRecent(dryAt.get(pool), now);
    }

    boolean wasLost(CapacityPool pool, Instant now) {
        return isRecent(lostAt.get(pool), now);
    }

    private static Map<CapacityPool, Instant> noted(
            Map<CapacityPool, Instant> before, Collection<CapacityPool> pools, Instant now) {
        var noted = new HashMap<>(before);
        noted.values().removeIf(at -> !isRecent(at, now));
        pools.forEach(pool -> noted.put(pool, now));
        return noted;
    }

    private static boolean isRecent(@Nullable Instant at, Instant now) {
        return at != null && at.plus(MEMORY).isAfter(now);
    }
}
