package dev.tuna.api;

import java.math.BigDecimal;
import java.util.Optional;
import java.util.Set;

/**
 * Which offers to list; every part narrows, none is required.
 *
 * @param gpu GPU name, compared without case
 * @param provider provider name
 * @param region region name
 * @param tiers terms; empty means all
 * @param maxUsdPerHour dearest machine to list; offers of unknown price are left out when it is set
 */
public record GpuQuery(
        Optional<String> gpu,
        Optional<String> provider,
        Optional<String> region,
        Set<Tier> tiers,
        Optional<BigDecimal> maxUsdPerHour) {

    /** Everything. */
    public static final GpuQuery ALL =
            new GpuQuery(Optional.empty(), Optional.empty(), Optional.empty(), Set.of(), Optional.empty());

    /** Copies the set. */
    public GpuQuery {
        tiers = Set.copyOf(tiers);
    }

    /**
     * Offers of one GPU.
     *
     * @param gpu its name, compared without case
     * @return the query
     */
    public static GpuQuery gpu(String gpu) {
        return new GpuQuery(Optional.of(gpu), Optional.empty(), Optional.empty(), Set.of(), Optional.empty());
    }

    /**
     * Whether an offer fits.
     *
     * @param offer the offer
     * @return true if no part of the query speaks against it
     */
    public boolean matches(GpuOffer offer) {
        return gpu.map(name -> name.equalsIgnoreCase(offer.gpu())).orElse(true)
                && provider.map(offer.provider()::equals).orElse(true)
                && region.map(name -> offer.region().map(name::equals).orElse(true))
                        .orElse(true)
                && (tiers.isEmpty() || tiers.contains(offer.tier()))
                && maxUsdPerHour
                        .map(most -> offer.usdPerHour()
                                .map(price -> price.compareTo(most) <= 0)
                                .orElse(false))
                        .orElse(true);
    }
}
