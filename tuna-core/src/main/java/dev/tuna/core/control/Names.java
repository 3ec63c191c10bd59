package dev.tuna.core.control;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.ErrorCode;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Who has which name, and who serves which model, among live deployments. Thread-safe. */
final class Names {

    private static final int LONGEST = 40;

    private final ReentrantLock asking = new ReentrantLock();
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, Service> services = new LinkedHashMap<>(); // guarded by lock
    private final Map<String, String> models = new LinkedHashMap<>(); // model to name, guarded by lock
    private boolean closed; // guarded by lock

    /**
     * Takes the name and the models of a deployment.
     *
     * @throws ConfigurationException {@code NAME_TAKEN}, also if nobody is taken in any more
     */
    void take(Service service) {
        String name = service.name();
        lock.lock();
        try {
            if (closed) {
                throw taken("this router VM is being removed, since nothing was on it any more; try again in a minute");
            }
            if (services.containsKey(name)) {
                throw taken("a deployment named '" + name + "' is live already; change it with redeploy, destroy it"
                        + " first, or choose another serviceName");
            }
            outside()
                    .filter(slot -> slot.state().revision().outside().equals(name))
                    .findFirst()
                    .ifPresent(slot -> {
                        throw taken("'" + name + "' is what providers call revision "
                                + slot.state().revision().number() + " of deployment '"
                                + slot.state().name() + "'; choose another serviceName");
                    });
            serving(service).forEach(slot -> takeModel(name, slot.state().request()));
            services.put(name, service);
        } finally {
            lock.unlock();
        }
    }

    /** Takes in a deployment that the store has, whatever others there are: its models only as far as they are free. */
    void adopt(Service service) {
        lock.lock();
        try {
            services.put(service.name(), service);
            serving(service)
                    .forEach(slot -> models.putIfAbsent(slot.state().request().model(), service.name()));
        } finally {
            lock.unlock();
        }
    }

    /** Who else serves what a deployment serves; empty if it may, and from then on nobody else. */
    Optional<String> claim(Service service) {
        lock.lock();
        try {
            String model = service.current().state().request().model();
            @Nullable String server = models.putIfAbsent(model, service.name());
            return Optional.ofNullable(server).filter(other -> !other.equals(service.name()));
        } finally {
            lock.unlock();
        }
    }

    /** The deployment that serves a model. */
    Optional<String> server(String model) {
        lock.lock();
        try {
            return Optional.ofNullable(models.get(model));
        } finally {
            lock.unlock();
        }
    }

    /**
     * Whether a deployment from elsewhere could be taken in.
     *
     * @throws ConfigurationException {@code NAME_TAKEN}
     */
    void requireFree(String name, Set<String> wanted, boolean itself) {
        lock.lock();
        try {
            if (services.containsKey(name) && !itself) {
                throw taken("a deployment named '" + name + "' is live there already");
            }
            wanted.stream()
                    .filter(model -> models.containsKey(model) && !name.equals(models.get(model)))
                    .findFirst()
                    .ifPresent(model -> {
                        throw taken("model '" + model + "' is served there already, by deployment '" + models.get(model)
                                + "'");
                    });
        } finally {
            lock.unlock();
        }
    }

    /** Whether providers know a revision of a deployment by a name. */
    static boolean isRevisionOf(String name, String outside) {
        int at = outside.lastIndexOf("-r");
        return outside.equals(name)
                || (at > 0
                        && outside.substring(at + 2).matches("\\d+")
                        && name.startsWith(outside.substring(0, at))
                        && (at == name.length() || outside.length() == LONGEST));
    }

    /**
     * Takes the model of a changed request, beside the one that is served.
     *
     * @throws ConfigurationException {@code NAME_TAKEN}
     */
    void takeModel(String name, DeployRequest request) {
        lock.lock();
        try {
            @Nullable String server = models.get(request.model());
            if (server != null && !server.equals(name)) {
                throw taken("model '" + request.model() + "' is served at this endpoint already, by deployment '"
                        + server + "'; destroy it first, or deploy at another endpoint");
            }
            models.put(request.model(), name);
        } finally {
            lock.unlock();
        }
    }

    /** Whether there is nobody, or nobody but who is on the way elsewhere; then nobody new comes until it is opened. */
    boolean closeIfEmpty() {
        lock.lock();
        try {
            closed = services.values().stream().allMatch(service -> service.held);
            return closed;
        } finally {
            lock.unlock();
        }
    }

    void open() {
        lock.lock();
        try {
            closed = false;
        } finally {
            lock.unlock();
        }
    }

    /** Gives up models that a deployment serves no more and is not about to serve. */
    void settle(Service service) {
        lock.lock();
        try {
            models.entrySet()
                    .removeIf(entry -> entry.getValue().equals(service.name()) && !serves(service, entry.getKey()));
        } finally {
            lock.unlock();
        }
    }

    private static boolean serves(Service service, String model) {
        return serving(service).anyMatch(slot -> slot.state().request().model().equals(model));
    }

    /** What is being removed answers no request any more. */
    private static Stream<Slot> serving(Service service) {
        return Stream.concat(Stream.of(service.current()), service.successor().stream());
    }

    /** What providers are to call another revision: at most 40 characters, as any name, and nobody else's. */
    String outside(String name, int number) {
        String suffix = "-r" + number;
        String outside = name.substring(0, Math.min(name.length(), LONGEST - suffix.length())) + suffix;
        lock.lock();
        try {
            boolean free = !services.containsKey(outside)
                    && outside()
                            .noneMatch(slot -> slot.state().revision().outside().equals(outside));
            return free ? outside : outside(name, number + 1);
        } finally {
            lock.unlock();
        }
    }

    private Stream<Slot> outside() {
        return services.values().stream().flatMap(service -> service.slots().stream());
    }

    void release(Service service) {
        lock.lock();
        try {
            if (services.remove(service.name(), service)) {
                models.values().removeIf(service.name()::equals);
            }
        } finally {
            lock.unlock();
        }
    }

    Optional<Service> find(String name) {
        lock.lock();
        try {
            return Optional.ofNullable(services.get(name));
        } finally {
            lock.unlock();
        }
    }

    Collection<Service> all() {
        lock.lock();
        try {
            return List.copyOf(services.values());
        } finally {
            lock.unlock();
        }
    }

    /** Every revision of every deployment. */
    List<Slot> slots() {
        return all().stream().flatMap(service -> service.slots().stream()).toList();
    }

    /** Looking at names and taking one is a single step. */
    <T> T alone(Supplier<T> work) {
        asking.lock();
        try {
            return work.get();
        } finally {
            asking.unlock();
        }
    }

    static ConfigurationException notLive(String name, String why) {
        return new ConfigurationException(ErrorCode.NO_SUCH_DEPLOYMENT, "deployment '" + name + "' " + why);
    }

    private static ConfigurationException taken(String message) {
        return new ConfigurationException(ErrorCode.NAME_TAKEN, message);
    }
}
