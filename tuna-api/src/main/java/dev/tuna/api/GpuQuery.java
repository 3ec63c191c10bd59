package dev.tuna.api;

import java.math.BigDecimal;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Which offers to list; every part narrows, none is required. Begin with {@link #ALL} or {@link #gpu}.
 *
 * @param gpu GPU name, compared without case
 * @param provider provider name
 * @param region region name; offers of providers whose price is the same everywhere fit any
 * @param tiers terms; empty means all
 * @param minVramGib least memory of one GPU in GiB; GPUs of unknown memory are left out when it is set
 * @param maxUsdPerHour dearest machine to list; offers of unknown price are left out when it is set
 */
public record GpuQuery(
        Optional<String> gpu,
        Optional<String> provider,
        Optional<String> region,
        Set<Tier> tiers,
        OptionalInt minVramGib,
        Optional<BigDecimal> maxUsdPerHour) {

    /** Everything. */
    public static final GpuQuery ALL = new GpuQuery(
            Optional.empty(), Optional.empty(), Optional.empty(), Set.of(), OptionalInt.empty(), Optional.empty());

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
        return new GpuQuery(Optional.of(gpu), ALL.provider, ALL.region, ALL.tiers, ALL.minVramGib, ALL.maxUsdPerHour);
    }

    /**
     * Of one provider only.
     *
     * @param name the provider's
     * @return a narrower query
     */
    public GpuQuery ofProvider(String name) {
        return new GpuQuery(gpu, Optional.of(name), region, tiers, minVramGib, maxUsdPerHour);
    }

    /**
     * In one region only.
     *
     * @param name the region's
     * @return a narrower query
     */
    public GpuQuery inRegion(String name) {
        return new GpuQuery(gpu, provider, Optional.of(name), tiers, minVramGib, maxUsdPerHour);
    }

    /**
     * On these terms only.
     *
     * @param terms at least one
     * @return a narrower query
     */
    public GpuQuery onTerms(Tier... terms) {
        return new GpuQuery(gpu, provider, region, Set.of(terms), minVramGib, maxUsdPerHour);
    }

    /**
     * With so much memory only.
     *
     * @param gib GiB of one GPU
     * @return a narrower query
     */
    public GpuQuery withMemory(int gib) {
        return new GpuQuery(gpu, provider, region, tiers, OptionalInt.of(gib), maxUsdPerHour);
    }

    /**
     * Up to a price only.
     *
     * @param usdPerHour for the whole machine
     * @return a narrower query
     */
    public GpuQuery upTo(BigDecimal usdPerHour) {
        return new GpuQuery(gpu, provider, region, tiers, minVramGib, Optional.of(usdPerHour));
    }

    /**
     * Whether an offer fits, as far as it tells: memory is the catalogue's to judge.
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
