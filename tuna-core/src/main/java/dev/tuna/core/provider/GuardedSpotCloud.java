package dev.tuna.core.provider;

import dev.tuna.api.PreflightReport;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.PoolOffer;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterCloud;
import dev.tuna.spi.SpotCloud;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A plugin's cloud behind a guard. Thread-safe as the plugin is. */
final class GuardedSpotCloud implements SpotCloud {

    private final SpotCloud cloud;
    private final PluginGuard guard;

    GuardedSpotCloud(SpotCloud cloud, PluginGuard guard) {
        this.cloud = cloud;
        this.guard = guard;
    }

    @Override
    public PreflightReport preflight(ReplicaSpec spec, boolean fix) {
        return guard.call("preflight", () -> cloud.preflight(spec, fix));
    }

    @Override
    public List<PoolOffer> pools(ReplicaSpec spec) {
        return guard.call("list pools", () -> List.copyOf(cloud.pools(spec)));
    }

    @Override
    public List<PoolOffer> pools() {
        return guard.call("list pools", () -> List.copyOf(cloud.pools()));
    }

    @Override
    public LaunchPlan plan(ReplicaSpec spec, List<CapacityPool> pools, String token) {
        return guard.call("plan launch", () -> cloud.plan(spec, pools, token));
    }

    @Override
    public ResourceRef launch(LaunchPlan plan) {
        return guard.call("launch replica", () -> cloud.launch(plan));
    }

    @Override
    public Map<ResourceRef, ReplicaObservation> observe(Collection<ResourceRef> replicas) {
        String operation = "observe replicas";
        Map<ResourceRef, ReplicaObservation> seen =
                guard.call(operation, () -> Map.copyOf(cloud.observe(List.copyOf(replicas))));
        List<ResourceRef> unseen =
                replicas.stream().filter(replica -> !seen.containsKey(replica)).toList();
        if (!unseen.isEmpty()) {
            throw guard.faulty(operation, "returned no observation of " + unseen);
        }
        return seen;
    }

    @Override
    public void terminate(ResourceRef replica) {
        guard.run("terminate replica", () -> cloud.terminate(replica));
    }

    @Override
    public void cleanUp(String deployment) {
        guard.run("clean up", () -> cloud.cleanUp(deployment));
    }

    @Override
    public List<FoundResource> find() {
        return guard.call("find resources", () -> List.copyOf(cloud.find()));
    }

    @Override
    public Optional<RouterCloud> routers() {
        return guard.call(
                "open router VMs", () -> cloud.routers().map(routers -> new GuardedRouterCloud(routers, guard)));
    }

    @Override
    public void close() {
        guard.run("close", cloud::close);
    }
}
