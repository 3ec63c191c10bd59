package dev.tuna.core.remote;

import dev.tuna.api.TunaException;
import java.util.Optional;

/** What a question came to. Exactly one part is there. Immutable. */
record Answer<T>(Optional<T> value, Optional<Failure> failure) {

    static <T> Answer<T> of(T value) {
        return new Answer<>(Optional.of(value), Optional.empty());
    }

    static <T> Answer<T> of(TunaException e) {
        return new Answer<>(Optional.empty(), Optional.of(Failure.of(e)));
    }

    T orThrow() {
        return value.orElseThrow(() -> failure.orElseThrow().toException());
    }
}
