package dev.tuna.provider.support;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.ErrorCode;
import java.time.Duration;
import java.util.Optional;

/** What a provider's error answers mean, where the HTTP status alone does not tell. Thread-safe. */
@FunctionalInterface
public interface ErrorMapping {

    /** Goes by the status alone: 401 and 403 are {@link ErrorCode#CREDENTIALS}, all else is a refusal. */
    ErrorMapping BY_STATUS = (status, body) -> Optional.empty();

    /**
     * Names an error.
     *
     * <p>{@link ErrorCode#CAPACITY} and {@link ErrorCode#QUOTA} reach the caller as
     * {@link dev.tuna.api.CapacityException} and are not tried again, whatever the status; another code reaches it in a
     * {@link dev.tuna.api.ProviderException}.
     *
     * @param status the HTTP status, 300 to 599
     * @param body the answer's body; a missing node if it is empty or not JSON
     * @return the code; empty to go by the status
     */
    Optional<ErrorCode> code(int status, JsonNode body);

    /**
     * How long the provider asks to wait, where it says so in the body; a header {@code Retry-After} counts first.
     *
     * @param body the answer's body; a missing node if it is empty or not JSON
     * @return the wait; empty, as by default, if the body says nothing of it
     */
    default Optional<Duration> retryAfter(JsonNode body) {
        return Optional.empty();
    }
}
