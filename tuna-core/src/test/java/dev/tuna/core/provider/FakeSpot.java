package dev.tuna.core.provider;

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
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** A spot provider whose cloud is given by hand. */
public class FakeSpot implements SpotProvider {

    private final String name;
    private final Function<ProviderContext, SpotCloud> open;

    /** Opens a {@link Cloud} that has nothing. */
    public FakeSpot(String name) {
        this(name, context -> new Cloud());
    }

    public FakeSpot(String name, Function<ProviderContext, SpotCloud> open) {
        this.name = name;
        this.open = open;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public SpotCloud open(ProviderContext context) {
        return open.apply(context);
    }

    /** A cloud that does nothing until a test overrides a method. */
    public static class Cloud implements SpotCloud {

        @Override
        public PreflightReport preflight(ReplicaSpec spec, boolean fix) {
            throw new UnsupportedOperationException("preflight");
        }

        @Override
        public List<PoolOffer> pools(ReplicaSpec spec) {
            return List.of();
        }

        @Override
        public List<PoolOffer> pools() {
            return List.of();
        }

        @Override
        public LaunchPlan plan(ReplicaSpec spec, List<CapacityPool> pools, String token) {
            throw new UnsupportedOperationException("plan");
        }

        @Override
        public ResourceRef launch(LaunchPlan plan) {
            throw new UnsupportedOperationException("launch");
        }

        @Override
        public Map<ResourceRef, ReplicaObservation> observe(Collection<ResourceRef> replicas) {
            return Map.of();
        }

        @Override
        public void terminate(ResourceRef replica) {
            throw new UnsupportedOperationException("terminate");
        }

        @Override
        public List<FoundResource> find() {
            return List.of();
        }

        @Override
        public void close() {}
    }
}
