package dev.tuna.core.placement;

import dev.tuna.api.Tier;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.PoolOffer;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * Puts capacity pools in the order in which they should be asked for the next replica.
 *
 * <p>Spot pools, the cheapest first; a zone counts a tenth dearer for each replica that it holds already, so that a fleet
 * spreads where prices are alike and one zone's shortage does not take all of it. Pools that took a replica away lately
 * come after those that did not, pools that ran dry lately after both, and unknown prices at the end of each. Pools that
 * rest since they ran dry are left out. On-demand pools are the fallback when every spot pool rests. Pure.
 */
public final class Placement {

    private static final BigDecimal SPREAD = new BigDecimal("0.1");

    private Placement() {}

    /**
     * Orders pools.
     *
     * @param offers pools that fit
     * @param fleet where the fleet's replicas are
     * @param history what went wrong lately
     * @param onDemandAllowed whether machines at list price may be rented when spot has run dry
     * @param now the moment
     * @return pools of one tier, best first; empty if nothing is offered, or all of it rests
     */
    public static List<CapacityPool> order(
            List<PoolOffer> offers,
            Collection<CapacityPool> fleet,
            PoolHistory history,
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
                .sorted(Comparator.<PoolOffer, Boolean>comparing(offer -> history.wasDry(offer.pool(), now))
                        .thenComparing(offer -> history.wasLost(offer.pool(), now))
                        .thenComparing(offer -> offer.usdPerHour().isEmpty())
                        .thenComparing(offer -> spreadPrice(offer, fleet))
                        .thenComparing(offer -> offer.pool().toString()))
                .map(PoolOffer::pool)
                .toList();
    }

    private static BigDecimal spreadPrice(PoolOffer offer, Collection<CapacityPool> fleet) {
        long neighbours = fleet.stream()
                .filter(pool -> pool.region().equals(offer.pool().region())
                        && pool.zone().equals(offer.pool().zone()))
                .count();
        BigDecimal factor = BigDecimal.ONE.add(SPREAD.multiply(BigDecimal.valueOf(neighbours)));
        return offer.usdPerHour().orElse(BigDecimal.ZERO).multiply(factor);
    }
}
