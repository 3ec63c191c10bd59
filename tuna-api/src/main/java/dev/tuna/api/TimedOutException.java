package dev.tuna.api;

/** Something did not happen in the time allowed; it may still happen later. Retryable. */
public final class TimedOutException extends TunaException {

    /**
     * Names what was waited for and how long.
     *
     * @param message what, how long, and what to look at
     */
    public TimedOutException(String message) {
        super(ErrorCode.TIMEOUT, true, message, null);
    }
}
