package dev.tuna.spi;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * Something in a cloud that carries a Tuna owner tag.
 *
 * @param resource what it is
 * @param ownerId whose installation made it
 * @param deployment which deployment it was made for
 * @param createdAt when it was made, if the cloud tells
 */
public record FoundResource(ResourceRef resource, String ownerId, String deployment, Optional<Instant> createdAt) {

    /** Checks that every part is there. */
    public FoundResource {
        Objects.requireNonNull(resource, "resource");
        Objects.requireNonNull(ownerId, "ownerId");
        Objects.requireNonNull(deployment, "deployment");
        Objects.requireNonNull(createdAt, "createdAt");
    }
}
