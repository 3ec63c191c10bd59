package dev.tuna.testkit.cloud.model;

import dev.tuna.api.BackendPhase;
import java.net.URI;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * A container at one moment.
 *
 * @param id its name
 * @param phase {@code BOOTING}, {@code ENGINE}, {@code READY} or, while it stops, {@code DRAINING}
 * @param startedAt when billing began
 * @param inFlight requests that it works on
 * @param address where its model server listens
 * @param pid its process, if it is one
 */
public record ContainerView(
        String id, BackendPhase phase, Instant startedAt, int inFlight, Optional<URI> address, Optional<Long> pid) {

    /** Checks that every part is there. */
    public ContainerView {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(phase, "phase");
        Objects.requireNonNull(startedAt, "startedAt");
        Objects.requireNonNull(address, "address");
        Objects.requireNonNull(pid, "pid");
    }
}
