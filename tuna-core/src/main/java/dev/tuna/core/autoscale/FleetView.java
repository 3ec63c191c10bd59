package dev.tuna.core.autoscale;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * What the autoscaler has to know of the fleet.
 *
 * @param booting replicas asked for that have not served yet
 * @param lastReadyAt when a replica last became ready
 */
public record FleetView(int booting, Optional<Instant> lastReadyAt) {

    /** Checks that both parts are there. */
    public FleetView {
        Objects.requireNonNull(lastReadyAt, "lastReadyAt");
    }
}
