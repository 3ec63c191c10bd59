package dev.tuna.api;

/** A cloud has no machine of the kind asked for, or no quota for it. Capacity passes, quota must be raised. */
public final class CapacityException extends TunaException {

    /**
     * Names the pool or quota that ran dry.
     *
     * @param code {@link ErrorCode#CAPACITY} (retryable) or {@link ErrorCode#QUOTA} (not retryable)
     * @param message what was asked, where, and what to do
     */
    public CapacityException(ErrorCode code, String message) {
        super(code, code == ErrorCode.CAPACITY, message, null);
    }
}
