package dev.tuna.provider.modal;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * A volume as Modal lists it.
 *
 * @param name its name
 * @param createdAt when it was made, if Modal tells
 */
record Volume(String name, Optional<Instant> createdAt) {

    Volume {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(createdAt, "createdAt");
    }
}
