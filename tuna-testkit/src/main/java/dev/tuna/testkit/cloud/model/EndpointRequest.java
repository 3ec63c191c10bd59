package dev.tuna.testkit.cloud.model;

import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.EngineSpec;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A serverless endpoint as its owner wants it.
 *
 * @param name unique in the cloud; part of the endpoint's URL: 1 to 128 characters of {@code a-z 0-9 -}
 * @param owner whose it is
 * @param deployment what it is for
 * @param engine what each container runs
 * @param scaling concurrency, windows and worker limits
 * @param keyRef a label: where the owner keeps the endpoint's key; empty if it is public
 * @param key what requests must bring as bearer token; empty if it is public
 * @param environment environment variables of the containers with secret values
 */
public record EndpointRequest(
        String name,
        String owner,
        String deployment,
        EngineSpec engine,
        ScalingPolicy.Serverless scaling,
        Optional<SecretRef> keyRef,
        Optional<Secret> key,
        Map<String, Secret> environment) {

    private static final Pattern NAME = Pattern.compile("[a-z0-9-]{1,128}");

    /** Checks the name and copies the map. */
    public EndpointRequest {
        if (!NAME.matcher(Objects.requireNonNull(name, "name")).matches()) {
            throw new IllegalArgumentException(
                    "endpoint name '" + name + "' must be 1 to 128 characters of a-z, 0-9 and -");
        }
        Objects.requireNonNull(owner, "owner");
        Objects.requireNonNull(deployment, "deployment");
        Objects.requireNonNull(engine, "engine");
        Objects.requireNonNull(scaling, "scaling");
        Objects.requireNonNull(keyRef, "keyRef");
        Objects.requireNonNull(key, "key");
        environment = Map.copyOf(environment);
    }
}
