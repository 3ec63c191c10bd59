package dev.tuna.core.control;

import dev.tuna.api.TunaException;
import java.util.Optional;

/**
 * What came of a call: a value or a failure, never both.
 *
 * @param <T> kind of value
 * @param value what the call returned
 * @param failure why it failed
 */
record Result<T>(Optional<T> value, Optional<TunaException> failure) {

    static <T> Result<T> of(T value) {
        return new Result<>(Optional.of(value), Optional.empty());
    }

    static <T> Result<T> failed(TunaException failure) {
        return new Result<>(Optional.empty(), Optional.of(failure));
    }
}
