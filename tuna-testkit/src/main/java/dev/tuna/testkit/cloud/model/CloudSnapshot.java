package dev.tuna.testkit.cloud.model;

import dev.tuna.api.BackendPhase;
import java.time.Instant;
import java.util.List;
import java.util.Objects;

/**
 * Everything a cloud knows at one moment.
 *
 * @param at when
 * @param endpoints all of them, those remembered as gone first
 * @param replicas all of them, those remembered as gone first
 * @param pools all of them
 * @param machines model servers that are alive
 */
public record CloudSnapshot(
        Instant at, List<EndpointView> endpoints, List<ReplicaView> replicas, List<PoolView> pools, int machines) {

    /** Copies the lists. */
    public CloudSnapshot {
        Objects.requireNonNull(at, "at");
        endpoints = List.copyOf(endpoints);
        replicas = List.copyOf(replicas);
        pools = List.copyOf(pools);
    }

    /**
     * An endpoint by name.
     *
     * @param name its name
     * @return the endpoint
     * @throws IllegalArgumentException if there is none
     */
    public EndpointView endpoint(String name) {
        return endpoints.stream()
                .filter(endpoint -> endpoint.name().equals(name))
                .reduce((earlier, later) -> later)
                .orElseThrow(() -> new IllegalArgumentException("no endpoint '" + name + "' among " + endpoints));
    }

    /**
     * A replica by id.
     *
     * @param id its id
     * @return the replica
     * @throws IllegalArgumentException if there is none
     */
    public ReplicaView replica(String id) {
        return replicas.stream()
                .filter(replica -> replica.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no replica '" + id + "' among " + replicas));
    }

    /**
     * Whether nothing is left that costs money.
     *
     * @return true if every endpoint and replica is gone and no machine is alive
     */
    public boolean empty() {
        return machines == 0
                && endpoints.stream().allMatch(endpoint -> endpoint.phase() == BackendPhase.GONE)
                && replicas.stream().allMatch(replica -> replica.phase() == BackendPhase.GONE);
    }
}
