package dev.tuna.spi;

import java.util.Objects;

/**
 * An outside resource, named so that it can be found again after any crash.
 *
 * @param provider the provider's name
 * @param kind what it is, in the provider's words, for instance {@code endpoint} or {@code instance}
 * @param id the provider's id or the deterministic name; unique within provider and kind; not empty
 */
public record ResourceRef(String provider, String kind, String id) {

    /** Checks that every part is there. */
    public ResourceRef {
        Objects.requireNonNull(provider, "provider");
        Objects.requireNonNull(kind, "kind");
        if (Objects.requireNonNull(id, "id").isEmpty()) {
            throw new IllegalArgumentException("id of a " + kind + " of " + provider + " is empty");
        }
    }

    /** {@code provider/kind/id}. */
    @Override
    public String toString() {
        return provider + "/" + kind + "/" + id;
    }
}
