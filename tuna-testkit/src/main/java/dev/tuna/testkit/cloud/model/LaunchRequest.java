package dev.tuna.testkit.cloud.model;

import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.EngineSpec;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A replica as its owner wants it.
 *
 * @param token idempotency token
 * @param owner whose it is
 * @param deployment what it is for
 * @param pools ids of the pools it may come from, best first
 * @param engine what the machine runs
 * @param orphanTimeout it ends itself when it was not observed for this long
 * @param keyRef a label: where the owner keeps the model server's key; empty if it has none
 * @param environment environment variables with secret values
 */
public record LaunchRequest(
        String token,
        String owner,
        String deployment,
        List<String> pools,
        EngineSpec engine,
        Duration orphanTimeout,
        Optional<SecretRef> keyRef,
        Map<String, Secret> environment) {

    /** Checks that every part is there and copies collections. */
    public LaunchRequest {
        if (Objects.requireNonNull(token, "token").isEmpty()) {
            throw new IllegalArgumentException("token is empty");
        }
        Objects.requireNonNull(owner, "owner");
        Objects.requireNonNull(deployment, "deployment");
        pools = List.copyOf(pools);
        if (pools.isEmpty()) {
            throw new IllegalArgumentException("pools is empty; name at least one");
        }
        Objects.requireNonNull(engine, "engine");
        if (orphanTimeout.isNegative() || orphanTimeout.isZero()) {
            throw new IllegalArgumentException("orphanTimeout is " + orphanTimeout + " but must be longer than zero");
        }
        Objects.requireNonNull(keyRef, "keyRef");
        environment = Map.copyOf(environment);
    }
}
