package dev.tuna.testkit.cloud.model;

import java.util.Optional;
import java.util.OptionalLong;

/** From the primitive to the boxed kind of optional, which is what goes over the wire. */
final class Boxed {

    private Boxed() {}

    static Optional<Long> of(OptionalLong value) {
        return value.isPresent() ? Optional.of(value.getAsLong()) : Optional.empty();
    }
}
