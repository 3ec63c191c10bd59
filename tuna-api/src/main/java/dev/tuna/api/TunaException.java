package dev.tuna.api;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The root of everything Tuna throws on purpose.
 *
 * <p>The kinds are named by who must act. The message says what was being done, the thing at fault with its value, what
 * is allowed and the fix; it never holds a secret. Programs decide on {@link #code()} and {@link #retryable()}.
 */
public abstract sealed class TunaException extends RuntimeException
        permits ConfigurationException,
                ProviderNotFoundException,
                ProviderException,
                CapacityException,
                TimedOutException,
                StoreException {

    private final ErrorCode code;
    private final boolean retryable;

    TunaException(ErrorCode code, boolean retryable, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.code = Objects.requireNonNull(code, "code");
        this.retryable = retryable;
    }

    /**
     * What went wrong, as a stable name.
     *
     * @return the code
     */
    public final ErrorCode code() {
        return code;
    }

    /**
     * Whether the same call can succeed later without anything being changed by hand.
     *
     * @return true if trying again makes sense
     */
    public final boolean retryable() {
        return retryable;
    }
}
