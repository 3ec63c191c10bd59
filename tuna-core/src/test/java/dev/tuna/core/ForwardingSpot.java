package dev.tuna.core;

import dev.tuna.api.PreflightReport;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.PoolOffer;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.SpotCloud;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** A cloud that is another one but for what is overridden. */
interface ForwardingSpot extends SpotCloud {

    SpotCloud inner();

    @Override
    default PreflightReport preflight(ReplicaSpec spec, boolean fix) {
        return inner().preflight(spec, fix);
    }

    @Override
    default List<PoolOffer> pools(ReplicaSpec spec) {
        return inner().pools(spec);
    }

    @Override
    default List<PoolOffer> pools() {
        return inner().pools();
    }

    @Override
    default LaunchPlan plan(ReplicaSpec spec, List<CapacityPool> pools, String token) {
        return inner().plan(spec, pools, token);
    }

    @Override
    default ResourceRef launch(LaunchPlan plan) {
        return inner().launch(plan);
    }

    @Override
    default Map<ResourceRef, ReplicaObservation> observe(Collection<ResourceRef> replicas) {
        return inner().observe(replicas);
    }

    @Override
    default void terminate(ResourceRef replica) {
        inner().terminate(replica);
    }

    @Override
    default void cleanUp(String deployment) {
        inner().cleanUp(deployment);
    }

    @Override
    default List<FoundResource> find() {
        return inner().find();
    }

    @Override
    default void close() {
        inner().close();
    }
}
