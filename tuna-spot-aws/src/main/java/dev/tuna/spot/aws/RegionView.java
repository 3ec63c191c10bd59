package dev.tuna.spot.aws;

import dev.tuna.api.Tier;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.PoolOffer;
import java.math.BigDecimal;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What is known of a region at one moment. Immutable.
 *
 * @param name the region's name
 * @param offerings what is sold
 * @param listPrices at what list price
 * @param spotPrices and at what price on spare capacity
 * @param usableZones zones that have a subnet; empty if that is not known, when all count
 */
record RegionView(
        String name, Offerings offerings, Prices listPrices, Prices spotPrices, Optional<Set<String>> usableZones) {

    RegionView {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(offerings, "offerings");
        Objects.requireNonNull(listPrices, "listPrices");
        Objects.requireNonNull(spotPrices, "spotPrices");
        usableZones = usableZones.map(Set::copyOf);
    }

    /** The pools of some types, with what a machine costs beside itself in the price. */
    Stream<PoolOffer> offers(Predicate<MachineType> wanted, Predicate<String> zones, BigDecimal surcharge) {
        return offerings.types().values().stream()
                .filter(wanted)
                .flatMap(type -> offerings.zones().getOrDefault(type.name(), List.of()).stream()
                        .filter(zone ->
                                usableZones.map(usable -> usable.contains(zone)).orElse(true))
                        .filter(zones)
                        .flatMap(zone -> offers(type, zone, surcharge)));
    }

    private Stream<PoolOffer> offers(MachineType type, String zone, BigDecimal surcharge) {
        Stream<PoolOffer> list =
                Stream.of(offer(type, zone, Tier.ON_DEMAND, listPrices, listPrices.of(type.name()), surcharge));
        return type.spot()
                ? Stream.concat(
                        Stream.of(offer(
                                type,
                                zone,
                                Tier.SPOT,
                                spotPrices,
                                spotPrices.of(Prices.key(zone, type.name())),
                                surcharge)),
                        list)
                : list;
    }

    private PoolOffer offer(
            MachineType type, String zone, Tier tier, Prices prices, Optional<BigDecimal> usd, BigDecimal surcharge) {
        return new PoolOffer(
                new CapacityPool(AwsOptions.PROVIDER, name, zone, type.name(), tier),
                type.gpu(),
                type.gpuCount(),
                usd.map(surcharge::add),
                prices.asOf(),
                prices.source());
    }

    /** What a machine costs now, without what it costs beside itself. */
    Optional<BigDecimal> usdPerHour(CapacityPool pool) {
        return pool.tier() == Tier.SPOT
                ? spotPrices.of(Prices.key(pool.zone(), pool.machineType()))
                : listPrices.of(pool.machineType());
    }
}
