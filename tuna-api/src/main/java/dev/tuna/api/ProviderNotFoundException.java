package dev.tuna.api;

/** A provider that was asked for is missing or ambiguous; the class path or the request must change. */
public final class ProviderNotFoundException extends TunaException {

    /**
     * Says what was asked, what was found and which artifact to add.
     *
     * @param code {@link ErrorCode#PROVIDER_NOT_FOUND} or {@link ErrorCode#PROVIDER_AMBIGUOUS}
     * @param message the whole explanation
     */
    public ProviderNotFoundException(ErrorCode code, String message) {
        super(code, false, message, null);
    }
}
