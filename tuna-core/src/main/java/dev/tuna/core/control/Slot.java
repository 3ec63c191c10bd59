package dev.tuna.core.control;

import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.LedgerEntry;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.StateChange;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
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

    /** What of its state the store does not have yet, and is to have from now on. */
    StateChange unsaved(List<LedgerEntry> entries, Instant now) {
        Managed after = state;
        var deployments = new ArrayList<DeploymentRecord>();
        if (learnedOfPools || saved.isEmpty() || !Records.sameInStore(saved.get(), after)) {
            deployments.add(Records.deployment(after, now));
        }
        learnedOfPools = false;
        saved = Optional.of(after);
        var resources = new ArrayList<ResourceRecord>();
        for (Backend backend : after.backends().values()) {
            Backend saved = savedBackends.put(backend.id(), backend);
            if (saved == null || !Records.sameInStore(saved, backend)) {
                resources.add(Records.resource(after, backend, now));
            }
            if (backend.isGone()) {
                savedBackends.remove(backend.id());
            }
        }
        return new StateChange(deployments, resources, entries);
    }
}
