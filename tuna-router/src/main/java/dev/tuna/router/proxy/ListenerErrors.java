package dev.tuna.router.proxy;

import dev.tuna.router.http.OpenAiError;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/** Errors that only the listener can see. */
final class ListenerErrors {

    private ListenerErrors() {}

    static OpenAiError requestTimeout() {
        return of(408, "invalid_request_error", "request_timeout", "The request did not come in time.");
    }

    static OpenAiError memoryFull() {
        return of(
                        503,
                        "server_error",
                        "memory_full",
                        "The router keeps as many request bodies as it may. Try again in a moment.")
                .after(Duration.ofSeconds(1));
    }

    static OpenAiError tooManyReaders(int limit) {
        return of(
                        503,
                        "server_error",
                        "too_many_readers",
                        limit + " clients read the router's events already. Close one of them, or try again later.")
                .after(Duration.ofSeconds(10));
    }

    private static OpenAiError of(int status, String type, String code, String message) {
        return new OpenAiError(status, type, Optional.empty(), code, message, OptionalLong.empty(), Optional.empty());
    }
}
