package dev.tuna.router;

import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.SpotState;
import java.util.Map;
import java.util.Objects;

/**
 * What a route has had to do since it was first put: the signals that scaling, draining and reports need. Immutable.
 *
 * @param traffic requests as clients saw them; counts never fall while the route exists
 * @param tokens tokens that backends generated in event streams, reckoned as one for each event that carries content; never
 *     falls while the route exists. Answers that are not streamed, or come compressed, add nothing
 * @param spotState what the replicas can do for a request that arrives now
 * @param backends load of each backend by its id; a backend that left the route stays until its last attempt has ended
 */
public record RouteLoad(TrafficStats traffic, long tokens, SpotState spotState, Map<String, BackendLoad> backends) {

    /** No traffic yet. */
    public static final RouteLoad NONE = new RouteLoad(TrafficStats.NONE, 0, SpotState.COLD, Map.of());

    /** Copies the map. */
    public RouteLoad {
        Objects.requireNonNull(traffic, "traffic");
        Objects.requireNonNull(spotState, "spotState");
        backends = Map.copyOf(backends);
    }

    /**
     * The load of one backend.
     *
     * @param id its name inside the deployment
     * @return its load; {@link BackendLoad#NONE} if the route does not know it
     */
    public BackendLoad backend(String id) {
        return backends.getOrDefault(id, BackendLoad.NONE);
    }
}
