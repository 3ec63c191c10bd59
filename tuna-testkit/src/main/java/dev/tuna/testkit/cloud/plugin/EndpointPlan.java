package dev.tuna.testkit.cloud.plugin;

import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.EngineSpec;
import java.util.Objects;
import java.util.Optional;

/**
 * The body of a serverless plan.
 *
 * @param engine what each container runs
 * @param scaling concurrency, windows and worker limits
 * @param keyRef where the endpoint's key is, or will be; empty if it is public
 */
record EndpointPlan(EngineSpec engine, ScalingPolicy.Serverless scaling, Optional<SecretRef> keyRef) {

    EndpointPlan {
        Objects.requireNonNull(engine, "engine");
        Objects.requireNonNull(scaling, "scaling");
        Objects.requireNonNull(keyRef, "keyRef");
    }
}
