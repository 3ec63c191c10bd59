package dev.tuna.spi;

import java.util.Objects;

/**
 * A router's machine that was found in its cloud.
 *
 * @param resource the machine
 * @param name its name
 * @param ownerId whose installation made it
 */
public record FoundRouterVm(ResourceRef resource, String name, String ownerId) {

    /** Checks that every part is there. */
    public FoundRouterVm {
        Objects.requireNonNull(resource, "resource");
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(ownerId, "ownerId");
    }
}
