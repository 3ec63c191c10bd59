package dev.tuna.spi;

import java.util.List;
import java.util.Objects;

/**
 * Exactly what a cloud would be sent to launch one replica. Text throughout, so that it can be stored, shown and sent
 * again byte by byte after a crash.
 *
 * @param deployment the deployment's name
 * @param token idempotency token: launching twice with one token makes one replica
 * @param pools pools that may be used, best first; not empty
 * @param summary one sentence for a person
 * @param body everything the plugin needs to launch, in a form of its own (usually JSON); secrets by reference only
 */
public record LaunchPlan(String deployment, String token, List<CapacityPool> pools, String summary, String body) {

    /** Copies the list. */
    public LaunchPlan {
        Objects.requireNonNull(deployment, "deployment");
        Objects.requireNonNull(token, "token");
        pools = List.copyOf(pools);
        Objects.requireNonNull(summary, "summary");
        Objects.requireNonNull(body, "body");
    }
}
