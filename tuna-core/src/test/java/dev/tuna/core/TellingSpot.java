package dev.tuna.core;

import dev.tuna.api.GpuUse;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.SpotCloud;
import dev.tuna.spi.SpotProvider;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** A cloud whose machines tell what their GPUs do, and whatever else a test wants them to. */
final class TellingSpot implements SpotProvider {

    private final SpotProvider inner;
    Optional<GpuUse> gpu = Optional.empty();

    /** What is told otherwise than the cloud has it. */
    UnaryOperator<ReplicaObservation> change = UnaryOperator.identity();

    TellingSpot(SpotProvider inner) {
        this.inner = inner;
    }

    @Override
    public String name() {
        return inner.name();
    }

    @Override
    public SpotCloud open(ProviderContext context) {
        SpotCloud cloud = inner.open(context);
        return new ForwardingSpot() {
            @Override
            public SpotCloud inner() {
                return cloud;
            }

            @Override
            public Map<ResourceRef, ReplicaObservation> observe(Collection<ResourceRef> replicas) {
                var seen = new HashMap<>(cloud.observe(replicas));
                seen.replaceAll((ref, each) -> change.apply(each.with(each.rebalanceAt(), gpu)));
                return seen;
            }
        };
    }
}
