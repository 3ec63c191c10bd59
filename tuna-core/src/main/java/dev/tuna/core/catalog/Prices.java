package dev.tuna.core.catalog;

import dev.tuna.api.GpuOffer;
import dev.tuna.api.Tier;
import dev.tuna.spi.PoolOffer;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ServerlessObservation;
import java.math.BigDecimal;
import java.util.List;
import java.util.Optional;

/**
 * Prices of the user's own, which go before what providers tell: in the catalogue, when pools and providers are chosen, and
 * in the bill. One for a region goes before one for everywhere; of two for the same the last holds. Immutable.
 *
 * @param prices each of them
 */
public record Prices(List<Price> prices) {

    /** None: what providers tell holds. */
    public static final Prices AS_TOLD = new Prices(List.of());

    private static final String SOURCE = "set by the user";

    /** Copies the list. */
    public Prices {
        prices = List.copyOf(prices);
    }

    /**
     * An offer at the price it has for the user.
     *
     * @param offer as the provider told it
     * @return the same if no price holds for it
     */
    public GpuOffer of(GpuOffer offer) {
        String machine = offer.tier() == Tier.SERVERLESS
                ? Price.container(offer.gpu(), offer.gpuCount())
                : offer.machineType().orElse("");
        return price(offer.provider(), offer.tier(), machine, offer.region())
                .map(price -> new GpuOffer(
                        offer.provider(),
                        offer.tier(),
                        offer.gpu(),
                        offer.gpuCount(),
                        offer.region(),
                        offer.machineType(),
                        Optional.of(price),
                        offer.asOf(),
                        SOURCE))
                .orElse(offer);
    }

    /**
     * A pool at the price it has for the user.
     *
     * @param offer as the provider told it
     * @return the same if no price holds for it
     */
    public PoolOffer of(PoolOffer offer) {
        var pool = offer.pool();
        return price(pool.provider(), pool.tier(), pool.machineType(), Optional.of(pool.region()))
                .map(price ->
                        new PoolOffer(pool, offer.gpu(), offer.gpuCount(), Optional.of(price), offer.asOf(), SOURCE))
                .orElse(offer);
    }

    /**
     * A replica at the price it has for the user.
     *
     * @param seen as the provider told it
     * @return the same if no price holds for it, as before it has a pool
     */
    public ReplicaObservation of(ReplicaObservation seen) {
        return seen.pool()
                .flatMap(pool -> price(pool.provider(), pool.tier(), pool.machineType(), Optional.of(pool.region())))
                .map(price -> seen.withUsdPerHour(Optional.of(price)))
                .orElse(seen);
    }

    /**
     * An endpoint at the price its containers have for the user.
     *
     * @param seen as the provider told it
     * @param provider whose it is
     * @param gpu what a container has
     * @param gpuCount how many
     * @param region where it was asked for; a price for a region does not hold without
     * @return the same if no price holds for it
     */
    public ServerlessObservation of(
            ServerlessObservation seen, String provider, String gpu, int gpuCount, Optional<String> region) {
        return price(provider, Tier.SERVERLESS, Price.container(gpu, gpuCount), region)
                .map(price -> new ServerlessObservation(
                        seen.phase(),
                        seen.detail(),
                        seen.address(),
                        seen.containers(),
                        seen.containerTime(),
                        Optional.of(price)))
                .orElse(seen);
    }

    private Optional<BigDecimal> price(String provider, Tier tier, String machine, Optional<String> region) {
        return prices.stream()
                .filter(price -> price.provider().equals(provider) && price.tier() == tier)
                .filter(price -> price.machine().equalsIgnoreCase(machine))
                .filter(price -> price.region().isEmpty() || price.region().equals(region))
                .reduce((one, other) ->
                        one.region().isPresent() && other.region().isEmpty() ? one : other)
                .map(Price::usdPerHour);
    }
}
