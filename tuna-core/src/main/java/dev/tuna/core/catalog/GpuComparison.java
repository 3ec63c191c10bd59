package dev.tuna.core.catalog;

import dev.tuna.api.GpuOffer;
import dev.tuna.api.Tier;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What one GPU costs on each tier, by the hour and GPU: an offer of several GPUs counts with its share. Immutable.
 *
 * @param gpu which GPU
 * @param vramGib its memory; 0 if the catalogue does not know it
 * @param serverless the cheapest offer of each serverless provider, by name; offers without a price only where there is no other
 * @param spot the cheapest spot offer with a price; empty if there is none
 * @param onDemand the cheapest on-demand offer with a price; empty if there is none
 */
public record GpuComparison(
        String gpu,
        int vramGib,
        Map<String, GpuOffer> serverless,
        Optional<GpuOffer> spot,
        Optional<GpuOffer> onDemand) {

    private static final Comparator<GpuOffer> CHEAPEST = Comparator.<GpuOffer, Boolean>comparing(
                    offer -> offer.usdPerHour().isEmpty())
            .thenComparing(offer -> perGpu(offer).orElse(BigDecimal.ZERO))
            .thenComparing(GpuOffer::gpuCount)
            .thenComparing(GpuOffer::provider)
            .thenComparing(offer -> offer.region().orElse(""))
            .thenComparing(offer -> offer.machineType().orElse(""));

    /** Copies the map and keeps its order. */
    public GpuComparison {
        Objects.requireNonNull(gpu, "gpu");
        serverless = Collections.unmodifiableMap(new LinkedHashMap<>(serverless));
        Objects.requireNonNull(spot, "spot");
        Objects.requireNonNull(onDemand, "onDemand");
    }

    /**
     * Compares offers.
     *
     * @param offers of any GPUs and tiers
     * @return one for each GPU, those with the least memory first, those of unknown memory last, then by name
     */
    public static List<GpuComparison> of(Collection<GpuOffer> offers) {
        var byGpu = new TreeMap<String, List<GpuOffer>>();
        offers.forEach(offer ->
                byGpu.computeIfAbsent(offer.gpu(), gpu -> new ArrayList<>()).add(offer));
        return byGpu.entrySet().stream()
                .map(each -> of(each.getKey(), each.getValue()))
                .sorted(Comparator.<GpuComparison, Boolean>comparing(each -> each.vramGib() == 0)
                        .thenComparing(GpuComparison::vramGib)
                        .thenComparing(GpuComparison::gpu))
                .toList();
    }

    private static GpuComparison of(String gpu, List<GpuOffer> offers) {
        var serverless = new TreeMap<String, GpuOffer>();
        offers.stream()
                .filter(offer -> offer.tier() == Tier.SERVERLESS)
                .forEach(offer -> serverless.merge(
                        offer.provider(), offer, (left, right) -> CHEAPEST.compare(left, right) <= 0 ? left : right));
        return new GpuComparison(
                gpu,
                GpuNames.find(gpu).map(GpuSpec::vramGib).orElse(0),
                serverless,
                cheapest(offers, Tier.SPOT),
                cheapest(offers, Tier.ON_DEMAND));
    }

    private static Optional<GpuOffer> cheapest(List<GpuOffer> offers, Tier tier) {
        return offers.stream()
                .filter(offer -> offer.tier() == tier && offer.usdPerHour().isPresent())
                .min(CHEAPEST);
    }

    /**
     * The cheapest serverless offer.
     *
     * @return the offer; empty if none has a price
     */
    public Optional<GpuOffer> cheapestServerless() {
        return serverless.values().stream()
                .filter(offer -> offer.usdPerHour().isPresent())
                .min(CHEAPEST);
    }

    /**
     * How much cheaper the cheapest spot GPU is than the cheapest serverless one.
     *
     * @return in whole percent of the serverless price, negative if spot is dearer; empty if either has no price
     */
    public Optional<Integer> savingsPercent() {
        return cheapestServerless()
                .flatMap(GpuComparison::perGpu)
                .filter(price -> price.signum() > 0)
                .flatMap(price -> spot.flatMap(GpuComparison::perGpu)
                        .map(cheap -> price.subtract(cheap)
                                .multiply(BigDecimal.valueOf(100))
                                .divide(price, 0, RoundingMode.HALF_UP)
                                .intValue()));
    }

    /**
     * What one of an offer's GPUs costs.
     *
     * @param offer one or several GPUs
     * @return US dollars per hour; empty if the price is unknown
     */
    public static Optional<BigDecimal> perGpu(GpuOffer offer) {
        return offer.usdPerHour().map(usd -> usd.divide(BigDecimal.valueOf(offer.gpuCount()), MathContext.DECIMAL64));
    }
}
