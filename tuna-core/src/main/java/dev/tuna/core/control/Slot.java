package dev.tuna.core.control;

import dev.tuna.api.Deployment;
import dev.tuna.api.DestroyReport;
import dev.tuna.router.Route;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;

/**
 * Where the state of one deployment is kept and swapped. Written by the control loop alone; {@link #state()} and the
 * futures may be read by anybody.
 */
final class Slot {

    private final Keys keys;
    private final CompletableFuture<Deployment> ready = new CompletableFuture<>();
    private final CompletableFuture<DestroyReport> destroyed = new CompletableFuture<>();
    private volatile Managed state;

    // The control loop's own notes:
    Optional<Route> route = Optional.empty();
    Optional<Managed> saved = Optional.empty();
    final Map<String, Backend> savedBackends = new HashMap<>();
    Optional<ScheduledFuture<?>> timer = Optional.empty();

    Slot(Managed state, Keys keys) {
        this.state = state;
        this.keys = keys;
    }

    Managed state() {
        return state;
    }

    void swap(Managed next) {
        state = next;
    }

    Keys keys() {
        return keys;
    }

    CompletableFuture<Deployment> ready() {
        return ready;
    }

    CompletableFuture<DestroyReport> destroyed() {
        return destroyed;
    }
}
