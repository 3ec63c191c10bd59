package dev.tuna.core.control;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.ErrorCode;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** Who has which name, and who serves which model, among live deployments. Thread-safe. */
final class Names {

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, Slot> slots = new LinkedHashMap<>(); // guarded by lock
    private final Map<String, String> models = new LinkedHashMap<>(); // model to name, guarded by lock

    /**
     * Takes the name and the model of a request.
     *
     * @throws ConfigurationException {@code NAME_TAKEN}
     */
    void take(DeployRequest request, Slot slot) {
        String name = request.serviceName().orElseThrow();
        lock.lock();
        try {
            if (slots.containsKey(name)) {
                throw taken("a deployment named '" + name + "' is live already; destroy it first, or choose another"
                        + " serviceName");
            }
            @Nullable String server = models.get(request.model());
            if (server != null) {
                throw taken("model '" + request.model() + "' is served at this endpoint already, by deployment '"
                        + server + "'; destroy it first, or deploy at another endpoint");
            }
            slots.put(name, slot);
            models.put(request.model(), name);
        } finally {
            lock.unlock();
        }
    }

    void release(Slot slot) {
        lock.lock();
        try {
            if (slots.remove(slot.state().name(), slot)) {
                models.remove(slot.state().request().model());
            }
        } finally {
            lock.unlock();
        }
    }

    Optional<Slot> find(String name) {
        lock.lock();
        try {
            return Optional.ofNullable(slots.get(name));
        } finally {
            lock.unlock();
        }
    }

    Collection<Slot> all() {
        lock.lock();
        try {
            return List.copyOf(slots.values());
        } finally {
            lock.unlock();
        }
    }

    private static ConfigurationException taken(String message) {
        return new ConfigurationException(ErrorCode.NAME_TAKEN, message);
    }
}
