package dev.tuna.spi;

import dev.tuna.api.ScalingPolicy;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What core asks of a serverless cloud for one deployment.
 *
 * @param deployment the deployment's name; the provider's resource names derive from it
 * @param engine the model server to run
 * @param scaling concurrency, windows and worker limits
 * @param region where; empty for the provider's default
 * @param publicAccess whether the endpoint may answer without a credential
 * @param options this request's options for this provider; they win over the installation's settings
 */
public record ServerlessSpec(
        String deployment,
        EngineSpec engine,
        ScalingPolicy.Serverless scaling,
        Optional<String> region,
        boolean publicAccess,
        Map<String, String> options) {

    /** Copies the map. */
    public ServerlessSpec {
        Objects.requireNonNull(deployment, "deployment");
        Objects.requireNonNull(engine, "engine");
        Objects.requireNonNull(scaling, "scaling");
        Objects.requireNonNull(region, "region");
        options = Map.copyOf(options);
    }
}
