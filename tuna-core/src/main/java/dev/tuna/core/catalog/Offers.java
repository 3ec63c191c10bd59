package dev.tuna.core.catalog;

import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.Tier;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.function.BinaryOperator;

/** How lists of offers are sifted and sorted. Pure. */
public final class Offers {

    private static final Comparator<GpuOffer> CHEAPEST_FIRST = Comparator.comparing(
            GpuOffer::usdPerHour,
            (left, right) -> left.isPresent() && right.isPresent()
                    ? left.get().compareTo(right.get())
                    : Boolean.compare(left.isEmpty(), right.isEmpty()));

    private static final Comparator<GpuOffer> SHOWN = Comparator.<GpuOffer>comparingInt(
                    offer -> GpuNames.find(offer.gpu()).map(GpuSpec::vramGib).orElse(Integer.MAX_VALUE))
            .thenComparing(GpuOffer::gpu)
            .thenComparing(CHEAPEST_FIRST)
            .thenComparing(GpuOffer::provider)
            .thenComparing(GpuOffer::tier)
            .thenComparing(GpuOffer::gpuCount)
            .thenComparing(offer -> offer.region().orElse(""))
            .thenComparing(offer -> offer.machineType().orElse(""));

    private Offers() {}

    /**
     * The serverless providers that offer a machine, cheapest first.
     *
     * @param offers offers of any kind
     * @param gpu GPU name or alias
     * @param gpuCount GPUs that one container must have
     * @return provider names, each once, sorted by price and then by name; those of unknown price last
     */
    public static List<String> cheapest(List<GpuOffer> offers, String gpu, int gpuCount) {
        String name = canonical(gpu);
        return offers.stream()
                .filter(offer -> offer.tier() == Tier.SERVERLESS)
                .filter(offer -> canonical(offer.gpu()).equalsIgnoreCase(name) && offer.gpuCount() == gpuCount)
                .sorted(CHEAPEST_FIRST.thenComparing(GpuOffer::provider))
                .map(GpuOffer::provider)
                .distinct()
                .toList();
    }

    static List<GpuOffer> matching(GpuQuery query, List<GpuOffer> offers) {
        var asked = new GpuQuery(
                query.gpu().map(Offers::canonical),
                query.provider(),
                query.region(),
                query.tiers(),
                query.minVramGib(),
                query.maxUsdPerHour());
        return offers.stream()
                .filter(asked::matches)
                .filter(offer -> query.minVramGib().isEmpty()
                        || GpuNames.find(offer.gpu()).stream()
                                .anyMatch(gpu ->
                                        gpu.vramGib() >= query.minVramGib().getAsInt()))
                .sorted(SHOWN)
                .toList();
    }

    /** Fails unless the GPU is in the table or on offer, as one that is newer than the table may be. */
    static void requireKnown(String gpu, List<GpuOffer> offers) {
        if (offers.stream().noneMatch(offer -> offer.gpu().equalsIgnoreCase(gpu))) {
            GpuNames.require(gpu);
        }
    }

    static GpuOffer canonical(GpuOffer offer) {
        return new GpuOffer(
                offer.provider(),
                offer.tier(),
                canonical(offer.gpu()),
                offer.gpuCount(),
                offer.region(),
                offer.machineType(),
                offer.usdPerHour(),
                offer.asOf(),
                offer.source());
    }

    /** Keeps one offer of those that differ only in price, as the zones of a region do. */
    static List<GpuOffer> cheapestZones(List<GpuOffer> offers) {
        var cheapest = new LinkedHashMap<Machine, GpuOffer>();
        offers.forEach(offer -> cheapest.merge(Machine.of(offer), offer, BinaryOperator.minBy(CHEAPEST_FIRST)));
        return List.copyOf(cheapest.values());
    }

    static String canonical(String gpu) {
        return GpuNames.find(gpu).map(GpuSpec::name).orElse(gpu);
    }

    private record Machine(
            String provider, Tier tier, String gpu, int gpuCount, Optional<String> region, Optional<String> type) {

        static Machine of(GpuOffer offer) {
            return new Machine(
                    offer.provider(), offer.tier(), offer.gpu(), offer.gpuCount(), offer.region(), offer.machineType());
        }
    }
}
