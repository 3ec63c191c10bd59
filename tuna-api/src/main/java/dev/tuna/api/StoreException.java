package dev.tuna.api;

import org.jspecify.annotations.Nullable;

/** The state or secret store cannot be used; nothing in it was changed. */
public final class StoreException extends TunaException {

    /**
     * Names the store and the fix.
     *
     * @param code one of the {@code STORE_} codes or {@link ErrorCode#CLOSED}
     * @param message which file, what is wrong with it, what to do
     * @param cause what showed it, or null
     */
    public StoreException(ErrorCode code, String message, @Nullable Throwable cause) {
        super(code, code == ErrorCode.STORE_LOCKED || code == ErrorCode.STORE_UNWRITABLE, message, cause);
    }
}
