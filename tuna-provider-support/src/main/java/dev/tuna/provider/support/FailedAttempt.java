package dev.tuna.provider.support;

import dev.tuna.api.TunaException;
import java.time.Duration;

/** One attempt that failed: what the caller will be told, and whether another attempt may do better. */
final class FailedAttempt extends Exception {

    private final TunaException error;
    private final boolean repeatable;
    private final Duration retryAfter;

    /**
     * @param repeatable whether repeating can help and cannot do anything twice
     * @param retryAfter the wait the provider asked for, or zero
     */
    FailedAttempt(TunaException error, boolean repeatable, Duration retryAfter) {
        super(null, error, false, false);
        this.error = error;
        this.repeatable = repeatable;
        this.retryAfter = retryAfter;
    }

    TunaException error() {
        return error;
    }

    boolean repeatable() {
        return repeatable;
    }

    Duration retryAfter() {
        return retryAfter;
    }
}
