package dev.tuna.router;

import dev.tuna.api.Tier;
import dev.tuna.spi.BackendAddress;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * One backend of a route: a serverless endpoint or a replica that serves or drains. Immutable.
 *
 * @param id its name inside the deployment, stable over its life; goes into statistics, logs and answer headers
 * @param tier what kind of machine
 * @param address how to reach it, with the credential it demands and the provider's limits
 * @param draining whether it finishes what it has and must get nothing new
 * @param endsAt when it will be gone, by the wall clock; streams that would not be at their end by then are moved to others.
 *     Empty if nobody knows of an end
 * @param revision what it serves: backends with equal revisions serve the same weights in the same way, so that one can go
 *     on with a stream of the other; empty unless told
 */
public record RouteBackend(
        String id, Tier tier, BackendAddress address, boolean draining, Optional<Instant> endsAt, String revision) {

    /** Checks that every part is there. */
    public RouteBackend {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(tier, "tier");
        Objects.requireNonNull(address, "address");
        Objects.requireNonNull(endsAt, "endsAt");
        Objects.requireNonNull(revision, "revision");
    }

    /**
     * A backend without a known end.
     *
     * @param id its name inside the deployment
     * @param tier what kind of machine
     * @param address how to reach it
     * @param draining whether it finishes what it has and must get nothing new
     */
    public RouteBackend(String id, Tier tier, BackendAddress address, boolean draining) {
        this(id, tier, address, draining, Optional.empty(), "");
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
