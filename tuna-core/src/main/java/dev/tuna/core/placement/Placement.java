package dev.tuna.core.placement;

import dev.tuna.api.Tier;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.PoolOffer;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * Puts capacity pools in the order in which they should be asked for the next replica.
 *
 * <p>Spot pools, the cheapest first, where what a pool costs is its price and what its losses cost: for each one that is to be
 * expected the next machine boots, and is paid for, while another tier serves. A pool counts dearer for each replica that would
 * fail together with it: by a tenth for one in its zone, by less for one in its region and in any other, as far as these were
 * measured to run dry at the same time. So a fleet spreads over zones and regions where prices are alike, and one shortage does
 * not take all of it. Pools whose cloud recommended to leave them lately come after the others, pools that took a replica away
 * lately after both, pools that ran dry lately at the end, and unknown prices at the end of each. Pools that rest, since they ran dry or have no quota, are left out. On-demand
 * pools are the fallback when every spot pool rests. Pure.
 */
public final class Placement {

    /** How much dearer a pool counts for a replica in the same zone. */
    private static final double SPREAD = 0.1;

    /** How much two zones of one region run dry together, where the same zone is 1: measured over 45 days and nine zones. */
    private static final double REGION_CORRELATION = 0.43;

    /** The same for two regions. */
    private static final double OTHER_CORRELATION = 0.14;

    private Placement() {}

    /**
     * Orders pools.
     *
     * @param offers pools that fit
     * @param fleet where the fleet's replicas are
     * @param history what became of replicas
     * @param boot how long a replica takes until it serves
     * @param onDemandAllowed whether machines at list price may be rented when spot has run dry
     * @param now the moment
     * @return pools of one tier, best first; empty if nothing is offered, or all of it rests
     */
    public static List<CapacityPool> order(
            List<PoolOffer> offers,
            Collection<CapacityPool> fleet,
            PoolHistory history,
            Duration boot,
            boolean onDemandAllowed,
            Instant now) {
        List<PoolOffer> awake = offers.stream()
                .filter(offer -> !history.rests(offer.pool(), now))
                .toList();
        boolean hasSpot = awake.stream().anyMatch(offer -> offer.pool().tier() == Tier.SPOT);
        if (!hasSpot && !onDemandAllowed) {
            return List.of();
        }
        Tier tier = hasSpot ? Tier.SPOT : Tier.ON_DEMAND;
        return awake.stream()
                .filter(offer -> offer.pool().tier() == tier)
                .sorted(Comparator.<PoolOffer>comparingInt(offer -> trouble(offer.pool(), history, now))
                        .thenComparing(offer -> offer.usdPerHour().isEmpty())
                        .thenComparing(offer -> usdPerHour(offer, fleet, history, boot, now))
                        .thenComparing(offer -> offer.pool().toString()))
                .map(PoolOffer::pool)
                .toList();
    }

    /**
     * Those pools at the head of an order that are as little troubled as the first. A cloud may choose among the pools that it is
     * given by what it knows of its stock, so a pool that should not be used is not named as long as there are better ones;
     * when they turn out to be dry they rest, and the next ones are at the head.
     *
     * @param order pools of one tier, best first
     * @param history what became of replicas
     * @param now the moment
     * @return the first ones of them; empty if there are none
     */
    public static List<CapacityPool> leastTroubled(List<CapacityPool> order, PoolHistory history, Instant now) {
        return order.stream()
                .takeWhile(pool -> trouble(pool, history, now) == trouble(order.get(0), history, now))
                .toList();
    }

    private static int trouble(CapacityPool pool, PoolHistory history, Instant now) {
        if (history.wasDry(pool, now)) {
            return 3;
        }
        return history.wasLost(pool, now) ? 2 : history.isRisky(pool, now) ? 1 : 0;
    }

    /**
     * Those pools that are worth leaving another one for: spot that has shown no weakness lately.
     *
     * @param order pools, best first
     * @param history what became of replicas
     * @param now the moment
     * @return some of them in the same order; empty if it is as well to stay
     */
    public static List<CapacityPool> worthLeavingFor(List<CapacityPool> order, PoolHistory history, Instant now) {
        return order.stream()
                .filter(pool -> pool.tier() == Tier.SPOT && trouble(pool, history, now) == 0)
                .toList();
    }

    /**
     * What a replica costs in a pool, its losses and its neighbours taken into account.
     *
     * @param offer the pool with its price
     * @param fleet where the fleet's replicas are
     * @param history what became of replicas
     * @param boot how long a replica takes until it serves
     * @param now the moment
     * @return US dollars an hour, to compare by; 0 if the price is unknown
     */
    static double usdPerHour(
            PoolOffer offer, Collection<CapacityPool> fleet, PoolHistory history, Duration boot, Instant now) {
        double price = offer.usdPerHour().map(Number::doubleValue).orElse(0.0);
        double bootHours = boot.toMillis() / 3_600_000.0;
        // A replica that is lost is paid for once more until the next one serves, and so is what serves meanwhile.
        double lossesCost = history.lossesPerHour(offer.pool(), now) * bootHours * price * (1 + BRIDGE);
        double together = 0;
        for (CapacityPool other : fleet) {
            together += correlation(offer.pool(), other);
        }
        return (price + lossesCost) * (1 + SPREAD * together);
    }

    /** What serves while the next replica boots costs about so many times as much as spot. */
    private static final double BRIDGE = 3;

    private static double correlation(CapacityPool one, CapacityPool other) {
        if (!one.region().equals(other.region())) {
            return OTHER_CORRELATION;
        }
        return one.zone().equals(other.zone()) ? 1 : REGION_CORRELATION;
    }
}
