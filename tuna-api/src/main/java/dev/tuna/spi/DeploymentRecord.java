package dev.tuna.spi;

import dev.tuna.api.DeploymentPhase;
import java.time.Instant;
import java.util.Objects;

/**
 * A deployment as it is stored.
 *
 * @param id unique for ever; a name can be used again, an id cannot
 * @param name the service name, unique among live deployments
 * @param phase where it is in its life
 * @param request the whole request as JSON
 * @param details what else core keeps (counters, chosen providers, problems), as JSON
 * @param createdAt when it was asked for
 * @param updatedAt when this record was made
 */
public record DeploymentRecord(
        String id,
        String name,
        DeploymentPhase phase,
        String request,
        String details,
        Instant createdAt,
        Instant updatedAt) {

    /** Checks that every part is there. */
    public DeploymentRecord {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(phase, "phase");
        Objects.requireNonNull(request, "request");
        Objects.requireNonNull(details, "details");
        Objects.requireNonNull(createdAt, "createdAt");
        Objects.requireNonNull(updatedAt, "updatedAt");
    }
}
