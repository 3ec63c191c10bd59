package dev.tuna.core.control;

import dev.tuna.api.DeployPlan;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.Tier;
import dev.tuna.core.catalog.GpuCatalog;
import dev.tuna.core.placement.Placement;
import dev.tuna.core.placement.PoolHistory;
import dev.tuna.core.provider.Clouds;
import dev.tuna.core.text.DurationText;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.SpotCloud;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Says what a deploy would send to whom. Asks providers for prices and pools and nothing else. Thread-safe; blocks. */
public final class DryRun {

    private static final String ID = "dry-run";

    private final Clouds clouds;
    private final Chooser chooser;
    private final Duration orphanTimeout;

    /**
     * Plans with these clouds.
     *
     * @param clouds opened as needed, stays open
     * @param catalog what GPUs cost
     * @param orphanTimeout as replicas would be told
     */
    public DryRun(Clouds clouds, GpuCatalog catalog, Duration orphanTimeout) {
        this.clouds = clouds;
        this.chooser = new Chooser(clouds, catalog);
        this.orphanTimeout = orphanTimeout;
    }

    /**
     * Makes the plan.
     *
     * @param request complete: with its name, and a GPU and providers that exist
     * @param cloud who would rent its replicas; empty for none
     * @return the plan
     */
    public DeployPlan plan(DeployRequest request, Optional<String> cloud) {
        var steps = new ArrayList<DeployPlan.Step>();
        var adaptations = new ArrayList<String>();
        for (String name : serverlessNames(request, adaptations)) {
            ServerlessPlan plan = clouds.serverless(name).plan(Specs.serverless(ID, request, name));
            adaptations.addAll(plan.adaptations());
            steps.add(new DeployPlan.Step(
                    name,
                    Tier.SERVERLESS,
                    plan.summary(),
                    plan.body(),
                    Map.of("resource", plan.resource().toString())));
        }
        cloud.ifPresent(name -> launch(request, name, adaptations).ifPresent(steps::add));
        return new DeployPlan(request, steps, adaptations, Optional.empty());
    }

    private List<String> serverlessNames(DeployRequest request, List<String> adaptations) {
        if (!request.serverlessProviders().isEmpty()) {
            return request.serverlessProviders();
        }
        var refusals = new Chooser.Refusals();
        List<String> names = chooser.byPrice(request, refusals);
        adaptations.addAll(refusals.reasons());
        return names.stream().limit(1).toList();
    }

    private Optional<DeployPlan.Step> launch(DeployRequest request, String name, List<String> adaptations) {
        SpotCloud spot = clouds.spot(name);
        ReplicaSpec spec = Specs.replica(ID, request, name, orphanTimeout);
        List<CapacityPool> pools =
                Placement.order(spot.pools(spec), List.of(), PoolHistory.NONE, Runner.USUAL_BOOT, false, Instant.EPOCH);
        if (pools.isEmpty()) {
            adaptations.add(name + " has no pool with " + request.gpuCount() + " x " + request.gpu()
                    + ", so no replica would be rented");
            return Optional.empty();
        }
        LaunchPlan plan = spot.plan(spec, pools, ID);
        var range = request.effectiveScaling().spot();
        return Optional.of(new DeployPlan.Step(
                name,
                pools.get(0).tier(),
                plan.summary(),
                plan.body(),
                Map.of(
                        "replicas",
                        range.minReplicas() + " to " + range.maxReplicas(),
                        "policy",
                        policy(range),
                        "pools",
                        pools.stream().map(CapacityPool::toString).collect(Collectors.joining(", ")))));
    }

    private static String policy(ScalingPolicy.Spot policy) {
        String last = policy.keepLast() == ScalingPolicy.Spot.KeepLast.WHILE_IT_PAYS
                ? "the last replica is kept while it pays"
                : "the last replica is kept while there is traffic";
        String limit = policy.firstTokenLimit()
                .map(duration -> ", or first tokens would take longer than " + DurationText.format(duration))
                .orElse("");
        String onDemand = policy.onDemand() == ScalingPolicy.Spot.OnDemand.NEVER
                ? "machines at list price are never rented"
                : "machines at list price stand in for spot while they are cheaper than serverless";
        return last + limit + "; " + onDemand;
    }
}
