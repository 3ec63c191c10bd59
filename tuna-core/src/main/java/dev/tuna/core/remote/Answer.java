package dev.tuna.core.remote;

import dev.tuna.api.TunaException;
import java.util.Optional;

/** What a question came to. One part is there, or none if it failed in a way that nobody foresaw. Immutable. */
record Answer<T>(Optional<T> value, Optional<Failure> failure) {

    static <T> Answer<T> of(T value) {
        return new Answer<>(Optional.of(value), Optional.empty());
    }

    static <T> Answer<T> of(TunaException e) {
        return new Answer<>(Optional.empty(), Optional.of(Failure.of(e)));
    }

    static <T> Answer<T> none() {
        return new Answer<>(Optional.empty(), Optional.empty());
    }

    boolean isNone() {
        return value.isEmpty() && failure.isEmpty();
    }

    T orThrow() {
        return value.orElseThrow(() -> failure.orElseThrow().toException());
    }
}
