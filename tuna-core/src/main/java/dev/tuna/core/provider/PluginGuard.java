package dev.tuna.core.provider;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.TunaException;
import java.io.UncheckedIOException;
import java.util.function.Supplier;

/**
 * Calls a plugin. What it throws against its contract becomes a {@link ProviderException} that names its class, and so
 * does a missing result. How far such a call got is unknown, and so is whether it made or removed something: to be on the
 * safe side it counts as one that may succeed when it is made again. Immutable and thread-safe.
 *
 * @param provider the provider's name
 * @param plugin the plugin's class
 */
record PluginGuard(String provider, Class<?> plugin) {

    <T> T call(String operation, Supplier<T> work) {
        T result;
        try {
            result = work.get();
        } catch (TunaException e) {
            throw e;
        } catch (UncheckedIOException e) {
            throw refusal(operation, "threw " + e, e)
                    .code(ErrorCode.UNREACHABLE)
                    .retryable(true)
                    .build();
        } catch (Exception
                | LinkageError e) { // also what Java would have had declared: not every plugin is written in it
            throw refusal(operation, "threw " + e, e).retryable(true).build();
        }
        if (result == null) {
            throw faulty(operation, "returned null");
        }
        return result;
    }

    void run(String operation, Runnable work) {
        call(operation, () -> {
            work.run();
            return operation;
        });
    }

    ProviderException faulty(String operation, String what) {
        return ProviderException.of(provider, operation)
                .message(blame(what))
                .retryable(true)
                .build();
    }

    private ProviderException.Builder refusal(String operation, String what, Throwable cause) {
        return ProviderException.of(provider, operation).message(blame(what)).cause(cause);
    }

    private String blame(String what) {
        return "its plugin " + plugin.getName() + " " + what + ", which its contract does not allow";
    }
}
