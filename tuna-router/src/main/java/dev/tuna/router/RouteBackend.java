package dev.tuna.router;

import dev.tuna.api.Tier;
import dev.tuna.spi.BackendAddress;
import java.util.Objects;

/**
 * One backend of a route: a serverless endpoint or a replica that serves or drains. Immutable.
 *
 * @param id its name inside the deployment, stable over its life; goes into statistics, logs and answer headers
 * @param tier what kind of machine
 * @param address how to reach it, with the credential it demands and the provider's limits
 * @param draining whether it finishes what it has and must get nothing new
 */
public record RouteBackend(String id, Tier tier, BackendAddress address, boolean draining) {

    /** Checks that every part is there. */
    public RouteBackend {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(tier, "tier");
        Objects.requireNonNull(address, "address");
    }

    /**
     * A backend that takes requests.
     *
     * @param id its name inside the deployment
     * @param tier what kind of machine
     * @param address how to reach it
     * @return the backend
     */
    public static RouteBackend of(String id, Tier tier, BackendAddress address) {
        return new RouteBackend(id, tier, address, false);
    }
}
