package dev.tuna.core.budget;

import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.PoolOffer;
import java.math.BigDecimal;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** What is left of a limit per hour while launches are planned one after the other. Confined to one planning. */
public final class ShortPurse {

    private Optional<BigDecimal> left;

    /**
     * A purse.
     *
     * @param left US dollars per hour that machines may still cost; empty if anything
     */
    public ShortPurse(Optional<BigDecimal> left) {
        this.left = left;
    }

    /**
     * Offers that there is money for. Where some have a price, those that have none are left out too: they may cost anything.
     *
     * @param offers of one cloud
     * @return in the same order; all of them if there is no limit, or none has a price
     */
    public List<PoolOffer> affordable(List<PoolOffer> offers) {
        if (left.isEmpty()
                || offers.stream().allMatch(offer -> offer.usdPerHour().isEmpty())) {
            return offers;
        }
        BigDecimal most = left.get();
        return offers.stream()
                .filter(offer -> offer.usdPerHour()
                        .filter(usd -> usd.compareTo(most) <= 0)
                        .isPresent())
                .toList();
    }

    /**
     * Takes out what a launch may come to cost: its machine may be of any of the pools, also the dearest.
     *
     * @param offers what the pools cost
     * @param pools of the launch
     * @return that price; empty if none is known
     */
    public Optional<BigDecimal> spendOnDearest(List<PoolOffer> offers, Collection<CapacityPool> pools) {
        Optional<BigDecimal> dearest = offers.stream()
                .filter(offer -> pools.contains(offer.pool()))
                .flatMap(offer -> offer.usdPerHour().stream())
                .max(BigDecimal::compareTo);
        left = left.map(usd -> usd.subtract(dearest.orElse(BigDecimal.ZERO)));
        return dearest;
    }
}
