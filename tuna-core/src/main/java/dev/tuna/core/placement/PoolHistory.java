package dev.tuna.core.placement;

import dev.tuna.api.Tier;
import dev.tuna.spi.CapacityPool;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * What became of replicas in which pool: a memory that fades. Each pool rests by itself, so that one that is dry holds up no
 * other; for want of quota a whole class of pools rests, a region's machines of one type and tier, since another zone cannot help
 * then. That it is no more than one type matters to others who rent there: a quota that a large machine exceeds may have room
 * for a small one, and clouds have quotas for families of machines.
 * Immutable; as large as the number of pools that were ever used and still matter.
 *
 * @param pools what is remembered of which pool
 * @param barred until when classes of pools need not be asked
 */
public record PoolHistory(Map<CapacityPool, Past> pools, Map<PoolClass, Instant> barred) {

    /**
     * How long a pool that ran dry, lost a replica or is to be left is put last, and the longest rest of a dry one: about as long as
     * shortages of spot capacity last.
     */
    public static final Duration MEMORY = Duration.ofMinutes(10);

    /**
     * Rest of a pool that ran dry for the first time; it doubles with each time that follows within {@link #MEMORY}. Shortages of
     * spot capacity last about half an hour in the middle, so to ask within seconds is in vain; as long as Karpenter takes.
     */
    public static final Duration FIRST_REST = Duration.ofMinutes(3);

    /** In this time half of what was learned about losses is forgotten: pools differ from week to week, not from hour to hour. */
    public static final Duration HALF_LIFE = Duration.ofDays(2);

    /** Losses in an hour of a pool that nothing is known of: between those of good zones and bad ones that were measured. */
    static final double USUAL_LOSSES_PER_HOUR = 0.2;

    /** Hours of a region's own experience that outweigh the usual, and of a pool's that outweigh the region's. */
    private static final double DOUBT_HOURS = 4;

    /** Nothing went wrong. */
    public static final PoolHistory NONE = new PoolHistory(Map.of(), Map.of());

    private static final double MILLIS_PER_HOUR = 3_600_000;

    /**
     * Pools that one quota covers.
     *
     * @param provider which cloud
     * @param region its region
     * @param machineType its type of machine
     * @param tier spot or on demand
     */
    public record PoolClass(String provider, String region, String machineType, Tier tier) {

        /** Checks that every part is there. */
        public PoolClass {
            Objects.requireNonNull(provider, "provider");
            Objects.requireNonNull(region, "region");
            Objects.requireNonNull(machineType, "machineType");
            Objects.requireNonNull(tier, "tier");
        }

        static PoolClass of(CapacityPool pool) {
            return new PoolClass(pool.provider(), pool.region(), pool.machineType(), pool.tier());
        }
    }

    /**
     * What is remembered of a pool.
     *
     * @param shortages how often in a row it had no machine to give
     * @param restsUntil until when it is not asked, since it had none
     * @param lostAt when it last took a replica away; {@link Instant#MIN} if it never did
     * @param riskAt when its cloud last recommended to leave it; {@link Instant#MIN} if it never did
     * @param losses replicas that it took away, fading
     * @param hours hours that replicas ran in it, fading alike
     * @param asOf the moment that both are reckoned for
     */
    public record Past(
            int shortages,
            Instant restsUntil,
            Instant lostAt,
            Instant riskAt,
            double losses,
            double hours,
            Instant asOf) {

        private static final Past NOTHING = new Past(0, Instant.MIN, Instant.MIN, Instant.MIN, 0, 0, Instant.EPOCH);

        /** Checks that the moments are there. */
        public Past {
            Objects.requireNonNull(restsUntil, "restsUntil");
            Objects.requireNonNull(lostAt, "lostAt");
            Objects.requireNonNull(riskAt, "riskAt");
            Objects.requireNonNull(asOf, "asOf");
        }

        private boolean wasDry(Instant now) {
            return shortages > 0 && restsUntil.plus(MEMORY).isAfter(now);
        }

        private boolean wasLost(Instant now) {
            return isRecent(lostAt, now);
        }

        private boolean isRisky(Instant now) {
            return isRecent(riskAt, now);
        }

        private static boolean isRecent(Instant at, Instant now) {
            return !at.equals(Instant.MIN) && at.plus(MEMORY).isAfter(now);
        }

        private Past join(Past other) {
            Past dryer = restsUntil.isAfter(other.restsUntil)
                            || (restsUntil.equals(other.restsUntil) && shortages >= other.shortages)
                    ? this
                    : other;
            Past newer = asOf.isAfter(other.asOf) || (asOf.equals(other.asOf) && hours >= other.hours) ? this : other;
            return new Past(
                    dryer.shortages,
                    dryer.restsUntil,
                    later(lostAt, other.lostAt),
                    later(riskAt, other.riskAt),
                    newer.losses,
                    newer.hours,
                    newer.asOf);
        }

        private boolean matters(Instant now) {
            return wasDry(now) || wasLost(now) || isRisky(now) || fading(now) * (losses + hours) > 0.01;
        }

        private double fading(Instant now) {
            double passed = Math.max(0, Duration.between(asOf, now).toMillis());
            return Math.pow(0.5, passed / HALF_LIFE.toMillis());
        }

        private Past with(double moreLosses, double moreHours, Instant now) {
            double kept = fading(now);
            return new Past(
                    shortages, restsUntil, lostAt, riskAt, kept * losses + moreLosses, kept * hours + moreHours, now);
        }
    }

    /** Copies the maps. */
    public PoolHistory {
        pools = Map.copyOf(pools);
        barred = Map.copyOf(barred);
    }

    /**
     * Notes that pools had no machine to give. Those that rest already were asked together with others: it counts once.
     *
     * @param dry which
     * @param now when
     * @return the history with it, without what is too old to matter
     */
    public PoolHistory dry(Collection<CapacityPool> dry, Instant now) {
        var noted = recent(now);
        for (CapacityPool pool : dry) {
            if (!rests(pool, now)) {
                Past past = noted.getOrDefault(pool, Past.NOTHING);
                int times = past.wasDry(now) ? past.shortages() : 0;
                Duration rest = FIRST_REST.multipliedBy(1L << Math.min(times, 20));
                Instant until = now.plus(rest.compareTo(MEMORY) > 0 ? MEMORY : rest);
                noted.put(
                        pool,
                        new Past(
                                times + 1,
                                until,
                                past.lostAt(),
                                past.riskAt(),
                                past.losses(),
                                past.hours(),
                                past.asOf()));
            }
        }
        return new PoolHistory(noted, stillBarred(now));
    }

    /**
     * Notes that pools may not give any machine, for want of quota or permission, and none of their classes either.
     *
     * @param refused which
     * @param until until when they need not be asked
     * @param now when
     * @return the history with it, without what is too old to matter
     */
    public PoolHistory barred(Collection<CapacityPool> refused, Instant until, Instant now) {
        var noted = stillBarred(now);
        refused.forEach(pool -> noted.put(PoolClass.of(pool), until));
        return new PoolHistory(recent(now), noted);
    }

    /**
     * Notes that a pool took a replica away.
     *
     * @param pool which
     * @param held how long the replica had run there
     * @param now when
     * @return the history with it, without what is too old to matter
     */
    public PoolHistory lost(CapacityPool pool, Duration held, Instant now) {
        return noted(pool, now, past -> {
            Past more = past.with(1, hours(held), now);
            return new Past(more.shortages(), more.restsUntil(), now, more.riskAt(), more.losses(), more.hours(), now);
        });
    }

    /**
     * Notes that a pool's cloud recommends to leave it, since it may take replicas soon.
     *
     * @param pool which
     * @param now when
     * @return the history with it, without what is too old to matter
     */
    public PoolHistory atRisk(CapacityPool pool, Instant now) {
        return noted(
                pool,
                now,
                past -> new Past(
                        past.shortages(),
                        past.restsUntil(),
                        past.lostAt(),
                        now,
                        past.losses(),
                        past.hours(),
                        past.asOf()));
    }

    /**
     * Notes that a replica was given back which its pool had not taken.
     *
     * @param pool which
     * @param held how long the replica had run there
     * @param now when
     * @return the history with it, without what is too old to matter
     */
    public PoolHistory kept(CapacityPool pool, Duration held, Instant now) {
        return noted(pool, now, past -> past.with(0, hours(held), now));
    }

    private PoolHistory noted(CapacityPool pool, Instant now, UnaryOperator<Past> change) {
        var noted = recent(now);
        noted.put(pool, change.apply(noted.getOrDefault(pool, Past.NOTHING)));
        return new PoolHistory(noted, stillBarred(now));
    }

    private static double hours(Duration held) {
        return Math.max(0, held.toMillis()) / MILLIS_PER_HOUR;
    }

    /**
     * How often a pool takes a replica away, as far as one can know: what was seen in it, filled up with what was seen in its
     * region, filled up with what is usual.
     *
     * @param pool which
     * @param now the moment
     * @return losses to be expected in an hour of one replica, more than 0; 0 for machines at list price
     */
    public double lossesPerHour(CapacityPool pool, Instant now) {
        if (pool.tier() != Tier.SPOT) {
            return 0;
        }
        double regionLosses = 0;
        double regionHours = 0;
        for (Map.Entry<CapacityPool, Past> entry : pools.entrySet()) {
            if (isNeighbour(entry.getKey(), pool)) {
                double kept = entry.getValue().fading(now);
                regionLosses += kept * entry.getValue().losses();
                regionHours += kept * entry.getValue().hours();
            }
        }
        double region = (regionLosses + DOUBT_HOURS * USUAL_LOSSES_PER_HOUR) / (regionHours + DOUBT_HOURS);
        Past own = pools.getOrDefault(pool, Past.NOTHING);
        double kept = own.fading(now);
        return (kept * own.losses() + DOUBT_HOURS * region) / (kept * own.hours() + DOUBT_HOURS);
    }

    private static boolean isNeighbour(CapacityPool one, CapacityPool other) {
        return one.tier() == other.tier()
                && one.region().equals(other.region())
                && one.provider().equals(other.provider());
    }

    /**
     * What is known together with what another memory of the same events has: of each pool what is newer. Joining what is known
     * already changes nothing, whatever the order.
     *
     * @param other the other memory
     * @return both in one
     */
    public PoolHistory join(PoolHistory other) {
        var joined = new HashMap<>(pools);
        other.pools.forEach((pool, past) -> joined.merge(pool, past, Past::join));
        var bars = new HashMap<>(barred);
        other.barred.forEach((which, until) -> bars.merge(which, until, PoolHistory::later));
        return new PoolHistory(joined, bars);
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }

    /**
     * When the first of some pools has rested.
     *
     * @param some which
     * @param now the moment
     * @return when; empty if none of them rests
     */
    public Optional<Instant> firstRested(Collection<CapacityPool> some, Instant now) {
        return some.stream()
                .filter(pool -> rests(pool, now))
                .map(pool -> restsUntil(pool))
                .min(Instant::compareTo);
    }

    /**
     * Whether a pool is not to be asked.
     *
     * @param pool which
     * @param now the moment
     * @return true while it, or its class, rests
     */
    public boolean rests(CapacityPool pool, Instant now) {
        return restsUntil(pool).isAfter(now);
    }

    private Instant restsUntil(CapacityPool pool) {
        Instant own = pools.getOrDefault(pool, Past.NOTHING).restsUntil();
        Instant all = barred.getOrDefault(PoolClass.of(pool), Instant.MIN);
        return own.isAfter(all) ? own : all;
    }

    boolean wasDry(CapacityPool pool, Instant now) {
        return pools.getOrDefault(pool, Past.NOTHING).wasDry(now);
    }

    boolean wasLost(CapacityPool pool, Instant now) {
        return pools.getOrDefault(pool, Past.NOTHING).wasLost(now);
    }

    boolean isRisky(CapacityPool pool, Instant now) {
        return pools.getOrDefault(pool, Past.NOTHING).isRisky(now);
    }

    private Map<CapacityPool, Past> recent(Instant now) {
        var recent = new HashMap<>(pools);
        recent.values().removeIf(past -> !past.matters(now));
        return recent;
    }

    private Map<PoolClass, Instant> stillBarred(Instant now) {
        var still = new HashMap<>(barred);
        still.values().removeIf(until -> !until.isAfter(now));
        return still;
    }
}
