package dev.tuna.spi;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What core asks of a cloud for the replicas of one deployment.
 *
 * @param deployment the deployment's name; goes into the tag {@code tuna-deployment}
 * @param engine the model server to run
 * @param regions regions allowed; empty for the provider's choice
 * @param orphanTimeout a replica that has heard from no controller for this long ends itself
 * @param options this request's options for this provider; they win over the installation's settings
 */
public record ReplicaSpec(
        String deployment,
        EngineSpec engine,
        List<String> regions,
        Duration orphanTimeout,
        Map<String, String> options) {

    /** Copies collections. */
    public ReplicaSpec {
        Objects.requireNonNull(deployment, "deployment");
        Objects.requireNonNull(engine, "engine");
        regions = List.copyOf(regions);
        Objects.requireNonNull(orphanTimeout, "orphanTimeout");
        options = Map.copyOf(options);
    }
}
