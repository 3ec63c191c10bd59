package dev.tuna.core.control;

import dev.tuna.spi.BackendAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Sends a backend a real request and says whether it answers one. Thread-safe; never blocks. */
@FunctionalInterface
public interface Prober {

    /**
     * Sends a readiness request.
     *
     * @param backend the backend, with its credential
     * @param model the model it should serve
     * @param limit how long it may take
     * @return completes with nothing if the backend serves, else with what was wrong in a few words; never exceptionally
     */
    CompletableFuture<Optional<String>> probe(BackendAddress backend, String model, Duration limit);
}
