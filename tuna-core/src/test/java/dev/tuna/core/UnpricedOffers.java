package dev.tuna.core;

import dev.tuna.spi.PoolOffer;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.SpotCloud;
import dev.tuna.spi.SpotProvider;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A cloud that does not say what its machines cost before one runs; with {@code never}, not even then. */
record UnpricedOffers(SpotProvider inner, boolean never) implements SpotProvider {

    @Override
    public String name() {
        return inner.name();
    }

    @Override
    public SpotCloud open(ProviderContext context) {
        return new Cloud(inner.open(context), never);
    }

    private record Cloud(SpotCloud inner, boolean never) implements ForwardingSpot {

        private static List<PoolOffer> unpriced(List<PoolOffer> offers) {
            return offers.stream()
                    .map(offer -> new PoolOffer(
                            offer.pool(),
                            offer.gpu(),
                            offer.gpuCount(),
                            Optional.empty(),
                            offer.asOf(),
                            offer.source()))
                    .toList();
        }

        @Override
        public List<PoolOffer> pools(ReplicaSpec spec) {
            return unpriced(inner.pools(spec));
        }

        @Override
        public List<PoolOffer> pools() {
            return unpriced(inner.pools());
        }

        @Override
        public Map<ResourceRef, ReplicaObservation> observe(Collection<ResourceRef> replicas) {
            var seen = new HashMap<>(inner.observe(replicas));
            if (never) {
                seen.replaceAll((ref, each) -> each.withUsdPerHour(Optional.empty()));
            }
            return seen;
        }
    }
}
