package dev.tuna.api;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * Something that runs at a provider and that no live deployment of this installation accounts for.
 *
 * @param provider where it was found
 * @param id the provider's id
 * @param kind what it is, for instance {@code endpoint} or {@code replica}
 * @param owner whose tag it carries
 * @param deployment the deployment its tag names
 * @param ours whether this installation made it; what others made is shown and never touched
 * @param createdAt when it was made, if the provider tells
 */
public record Orphan(
        String provider,
        String id,
        String kind,
        String owner,
        String deployment,
        boolean ours,
        Optional<Instant> createdAt) {

    /** Checks that every part is there. */
    public Orphan {
        Objects.requireNonNull(provider, "provider");
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(owner, "owner");
        Objects.requireNonNull(deployment, "deployment");
        Objects.requireNonNull(createdAt, "createdAt");
    }
}
