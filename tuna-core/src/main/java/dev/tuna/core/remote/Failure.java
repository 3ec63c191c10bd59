package dev.tuna.core.remote;

import dev.tuna.api.CapacityException;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.ProviderNotFoundException;
import dev.tuna.api.StoreException;
import dev.tuna.api.TimedOutException;
import dev.tuna.api.TunaException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A {@link TunaException} on its way to another process, where it is thrown again as the same kind with the same words.
 * Its cause stays behind, in the log of the process it happened in. Immutable.
 */
record Failure(
        Kind kind,
        ErrorCode code,
        boolean retryable,
        String message,
        List<String> problems,
        Optional<Refusal> refusal) {

    /** Which subclass. */
    enum Kind {
        CONFIGURATION,
        PROVIDER_NOT_FOUND,
        PROVIDER,
        CAPACITY,
        TIMED_OUT,
        STORE
    }

    /** What a provider's refusal says of itself. */
    record Refusal(String provider, String operation, int httpStatus, Optional<Duration> retryAfter) {

        static Refusal of(ProviderException e) {
            return new Refusal(e.provider(), e.operation(), e.httpStatus().orElse(0), e.retryAfter());
        }
    }

    static Failure of(TunaException e) {
        return new Failure(
                kind(e),
                e.code(),
                e.retryable(),
                String.valueOf(e.getMessage()),
                e instanceof ConfigurationException wrong ? wrong.problems() : List.of(),
                e instanceof ProviderException refused ? Optional.of(Refusal.of(refused)) : Optional.empty());
    }

    private static Kind kind(TunaException e) {
        if (e instanceof ConfigurationException) {
            return Kind.CONFIGURATION;
        } else if (e instanceof ProviderNotFoundException) {
            return Kind.PROVIDER_NOT_FOUND;
        } else if (e instanceof ProviderException) {
            return Kind.PROVIDER;
        } else if (e instanceof CapacityException) {
            return Kind.CAPACITY;
        } else if (e instanceof TimedOutException) {
            return Kind.TIMED_OUT;
        }
        return Kind.STORE;
    }

    TunaException toException() {
        return switch (kind) {
            case CONFIGURATION -> configuration();
            case PROVIDER_NOT_FOUND -> new ProviderNotFoundException(code, message);
            case PROVIDER -> provider(refusal.orElseThrow());
            case CAPACITY -> new CapacityException(code, message);
            case TIMED_OUT -> new TimedOutException(message);
            case STORE -> new StoreException(code, message, null);
        };
    }

    /** Several problems make a message of their own, which begins with what was looked at. */
    private ConfigurationException configuration() {
        String list = ": " + String.join("; ", problems);
        return message.endsWith(list)
                ? new ConfigurationException(code, message.substring(0, message.length() - list.length()), problems)
                : new ConfigurationException(code, message);
    }

    /** The exception puts the same words before what the provider said. */
    private ProviderException provider(Refusal from) {
        ProviderException.Builder builder = ProviderException.of(from.provider(), from.operation())
                .code(code)
                .retryable(retryable)
                .httpStatus(from.httpStatus());
        from.retryAfter().ifPresent(builder::retryAfter);
        String introduction = builder.build().getMessage() + ": ";
        return message.startsWith(introduction)
                ? builder.message(message.substring(introduction.length())).build()
                : builder.build();
    }
}
