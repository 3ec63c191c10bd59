package dev.tuna.core.control;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ScheduledFuture;

/**
 * Where the state of one revision of a deployment is kept and swapped. Written by the control loop alone; {@link #state()}
 * may be read by anybody.
 */
final class Slot {

    private final Keys keys;
    private volatile Managed state;

    // The control loop's own notes:
    Optional<Managed> saved = Optional.empty();
    boolean learnedOfPools;
    final Map<String, Backend> savedBackends = new HashMap<>();
    Optional<ScheduledFuture<?>> timer = Optional.empty();
    Instant remindedAt = Instant.MIN;

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
}
