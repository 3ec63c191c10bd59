package dev.tuna.spot.aws;

import dev.tuna.api.Tier;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.PoolOffer;
import java.math.BigDecimal;
import java.util.Collection;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Predicate;

/** Which pools fit a request. Pure. */
final class PoolChoice {

    private PoolChoice() {}

    /**
     * Machines with enough GPUs of the kind, of the smallest size there is: a GPU that is sold by eights only comes by eights,
     * but nobody gets a machine with four who needs one and can have it.
     *
     * @param regions what is known of those allowed
     * @param engine what is to run
     * @param options what the request says
     * @return offers, without those that cost too many times more than the cheapest of their market
     */
    static List<PoolOffer> fitting(Collection<RegionView> regions, EngineSpec engine, AwsOptions options) {
        Predicate<MachineType> fits = type -> type.gpu().equalsIgnoreCase(engine.gpu())
                && type.gpuCount() >= engine.gpuCount()
                && options.allowsType(type.name());
        OptionalInt smallest = regions.stream()
                .flatMap(region -> region.offerings().types().values().stream()
                        .filter(fits)
                        .filter(type -> region.offerings().zones().containsKey(type.name())))
                .mapToInt(MachineType::gpuCount)
                .min();
        if (smallest.isEmpty()) {
            return List.of();
        }
        BigDecimal surcharge = Surcharge.usdPerHour(options);
        List<PoolOffer> offers = regions.stream()
                .flatMap(region -> region.offers(
                        fits.and(type -> type.gpuCount() == smallest.getAsInt()),
                        zone -> options.zones().isEmpty() || options.zones().contains(zone),
                        surcharge))
                .toList();
        return offers.stream()
                .filter(offer -> isReasonable(offer, offers, options))
                .toList();
    }

    private static boolean isReasonable(PoolOffer offer, List<PoolOffer> offers, AwsOptions options) {
        return offer.usdPerHour()
                .map(usd -> usd.compareTo(cheapest(offers, offer.pool().tier()).multiply(options.priceSpread())) <= 0)
                .orElse(true);
    }

    private static BigDecimal cheapest(List<PoolOffer> offers, Tier tier) {
        return offers.stream()
                .filter(offer -> offer.pool().tier() == tier)
                .flatMap(offer -> offer.usdPerHour().stream())
                .min(BigDecimal::compareTo)
                .orElse(BigDecimal.ZERO);
    }
}
