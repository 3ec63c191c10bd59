package dev.tuna.core;

import dev.tuna.api.PreflightReport;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.LaunchPlan;
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

    private record Cloud(SpotCloud inner, boolean never) implements SpotCloud {

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
        public PreflightReport preflight(ReplicaSpec spec, boolean fix) {
            return inner.preflight(spec, fix);
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
        public LaunchPlan plan(ReplicaSpec spec, List<CapacityPool> pools, String token) {
            return inner.plan(spec, pools, token);
        }

        @Override
        public ResourceRef launch(LaunchPlan plan) {
            return inner.launch(plan);
        }

        @Override
        public Map<ResourceRef, ReplicaObservation> observe(Collection<ResourceRef> replicas) {
            var seen = new HashMap<>(inner.observe(replicas));
            if (never) {
                seen.replaceAll((ref, each) -> unpriced(each));
            }
            return seen;
        }

        private static ReplicaObservation unpriced(ReplicaObservation seen) {
            return new ReplicaObservation(
                    seen.phase(),
                    seen.detail(),
                    seen.pool(),
                    seen.address(),
                    seen.interruptionAt(),
                    seen.launchedAt(),
                    seen.endedAt(),
                    Optional.empty());
        }

        @Override
        public void terminate(ResourceRef replica) {
            inner.terminate(replica);
        }

        @Override
        public void cleanUp(String deployment) {
            inner.cleanUp(deployment);
        }

        @Override
        public List<FoundResource> find() {
            return inner.find();
        }

        @Override
        public void close() {
            inner.close();
        }
    }
}
