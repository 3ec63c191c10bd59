package dev.tuna.core.placement;

import dev.tuna.spi.CapacityPool;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What went wrong lately in which pool. Each pool rests by itself, so that one that is dry holds up no other. Immutable; as
 * large as the number of pools that failed.
 *
 * @param shortages what pools had no machine to give, or may not give any
 * @param lostAt when a pool last took a replica away
 */
public record PoolHistory(Map<CapacityPool, Shortage> shortages, Map<CapacityPool, Instant> lostAt) {

    /**
     * How long a pool that ran dry or lost a replica is put last, and the longest rest of a dry one: about as long as
     * shortages of spot capacity last.
     */
    public static final Duration MEMORY = Duration.ofMinutes(10);

    /** Rest of a pool that ran dry for the first time; it doubles with each time that follows within {@link #MEMORY}. */
    public static final Duration FIRST_REST = Duration.ofSeconds(10);

    /** Nothing went wrong. */
    public static final PoolHistory NONE = new PoolHistory(Map.of(), Map.of());

    /**
     * A pool that had no machine to give.
     *
     * @param times how often in a row
     * @param until until when it is not asked
     */
    public record Shortage(int times, Instant until) {

        /** Checks that the moment is there. */
        public Shortage {
            Objects.requireNonNull(until, "until");
        }

        private boolean isRecent(Instant now) {
            return until.plus(MEMORY).isAfter(now);
        }
    }

    /** Copies the maps. */
    public PoolHistory {
        shortages = Map.copyOf(shortages);
        lostAt = Map.copyOf(lostAt);
    }

    /**
     * Notes that pools had no machine to give. Those that rest already were asked together with others: it counts once.
     *
     * @param pools which
     * @param now when
     * @return the history with it, without what is too old to matter
     */
    public PoolHistory dry(Collection<CapacityPool> pools, Instant now) {
        var noted = recentShortages(now);
        for (CapacityPool pool : pools) {
            if (rests(pool, now)) {
                continue;
            }
            int times =
                    Optional.ofNullable(noted.get(pool)).map(Shortage::times).orElse(0);
            Duration rest = FIRST_REST.multipliedBy(1L << Math.min(times, 20));
            noted.put(pool, new Shortage(times + 1, now.plus(rest.compareTo(MEMORY) > 0 ? MEMORY : rest)));
        }
        return new PoolHistory(noted, lostAt);
    }

    /**
     * Notes that pools may not give any machine, for want of quota or permission.
     *
     * @param pools which
     * @param until until when they need not be asked
     * @param now when
     * @return the history with it, without what is too old to matter
     */
    public PoolHistory barred(Collection<CapacityPool> pools, Instant until, Instant now) {
        var noted = recentShortages(now);
        pools.forEach(pool -> noted.put(pool, new Shortage(1, until)));
        return new PoolHistory(noted, lostAt);
    }

    /**
     * Notes that a pool took a replica away.
     *
     * @param pool which
     * @param now when
     * @return the history with it, without what is too old to matter
     */
    public PoolHistory lost(CapacityPool pool, Instant now) {
        var noted = new HashMap<>(lostAt);
        noted.values().removeIf(at -> !at.plus(MEMORY).isAfter(now));
        noted.put(pool, now);
        return new PoolHistory(shortages, noted);
    }

    /**
     * When the first of some pools has rested.
     *
     * @param pools which
     * @param now the moment
     * @return when; empty if none of them rests
     */
    public Optional<Instant> firstRested(Collection<CapacityPool> pools, Instant now) {
        return pools.stream()
                .filter(pool -> rests(pool, now))
                .flatMap(pool -> Optional.ofNullable(shortages.get(pool)).stream())
                .map(Shortage::until)
                .min(Instant::compareTo);
    }

    boolean rests(CapacityPool pool, Instant now) {
        return Optional.ofNullable(shortages.get(pool))
                .map(shortage -> shortage.until().isAfter(now))
                .orElse(false);
    }

    boolean wasDry(CapacityPool pool, Instant now) {
        return Optional.ofNullable(shortages.get(pool))
                .map(shortage -> shortage.isRecent(now))
                .orElse(false);
    }

    boolean wasLost(CapacityPool pool, Instant now) {
        return Optional.ofNullable(lostAt.get(pool))
                .map(at -> at.plus(MEMORY).isAfter(now))
                .orElse(false);
    }

    private Map<CapacityPool, Shortage> recentShortages(Instant now) {
        var recent = new HashMap<>(shortages);
        recent.values().removeIf(shortage -> !shortage.isRecent(now));
        return recent;
    }
}
