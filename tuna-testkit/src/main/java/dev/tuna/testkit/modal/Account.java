package dev.tuna.testkit.modal;

import dev.tuna.api.Secret;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/** What is in a workspace. Thread-safe. */
final class Account {

    static final String WORKSPACE = "acme-inference-team";

    private static final int ID_LENGTH = 22;

    private final Duration bootTime;
    private final Duration stopTime;
    private final ReentrantLock lock = new ReentrantLock();

    // All guarded by lock:
    private final List<StandInApp> apps = new ArrayList<>();
    private final Map<String, Instant> volumes = new LinkedHashMap<>();
    private final Set<String> cleared = new HashSet<>();
    private final Map<String, Secret> proxyTokens = new LinkedHashMap<>();

    Account(Duration bootTime, Duration stopTime) {
        this.bootTime = bootTime;
        this.stopTime = stopTime;
    }

    private <T> T alone(Supplier<T> work) {
        lock.lock();
        try {
            return work.get();
        } finally {
            lock.unlock();
        }
    }

    private static String id() {
        return (UUID.randomUUID().toString() + UUID.randomUUID())
                .replace("-", "")
                .substring(0, ID_LENGTH);
    }

    // --- apps ---

    List<StandInApp> apps() {
        return alone(() -> List.copyOf(apps));
    }

    Optional<StandInApp> deployed(String name) {
        return apps().stream()
                .filter(app -> app.name().equals(name) && app.state().equals(StandInApp.DEPLOYED))
                .findFirst();
    }

    Optional<StandInApp> byId(String id) {
        return apps().stream().filter(app -> app.id().equals(id)).findFirst();
    }

    /** As the command line resolves what it is given: an id, a deployed app, or one stopped not long ago. */
    Optional<StandInApp> find(String nameOrId) {
        if (nameOrId.matches("ap-[a-zA-Z0-9]{22}")) {
            return byId(nameOrId);
        }
        List<StandInApp> all = apps();
        for (int at = all.size() - 1; at >= 0; at--) {
            StandInApp app = all.get(at);
            if (app.name().equals(nameOrId)
                    && !app.state().equals(StandInApp.INITIALIZING)
                    && deployed(nameOrId).map(app::equals).orElse(true)) {
                return Optional.of(app);
            }
        }
        return Optional.empty();
    }

    /** The app that a deployment works on: the one that is deployed, or a new one. */
    StandInApp forDeployment(String name) {
        return alone(() -> deployed(name).orElseGet(() -> {
            StandInApp made = new StandInApp("ap-" + id(), name, bootTime, stopTime);
            apps.add(made);
            return made;
        }));
    }

    /** Another app that was deployed under this name meanwhile gives way. */
    void publishing(StandInApp app) {
        apps().stream()
                .filter(other -> other != app
                        && other.name().equals(app.name())
                        && other.state().equals(StandInApp.DEPLOYED))
                .forEach(StandInApp::stop);
    }

    /** An app that was never published goes with whoever was making it. */
    void drop(StandInApp app) {
        alone(() -> apps.removeIf(each -> each == app && app.state().equals(StandInApp.INITIALIZING)));
    }

    // --- volumes ---

    Map<String, Instant> volumes() {
        return alone(() -> new LinkedHashMap<>(volumes));
    }

    void makeVolume(String name) {
        alone(() -> volumes.putIfAbsent(name, Instant.now()));
    }

    boolean deleteVolume(String name) {
        return alone(() -> volumes.remove(name) != null);
    }

    /** Every volume has two directories until they are removed. */
    boolean clear(String volume, String directory) {
        return alone(() -> directory.matches("/?(huggingface|vllm)") && cleared.add(volume + directory));
    }

    // --- proxy tokens ---

    /** Makes one; the secret half is told once. */
    Map.Entry<String, Secret> makeProxyToken() {
        return alone(() -> {
            String key = "wk-" + id();
            Secret secret = Secret.of("ws-" + id());
            proxyTokens.put(key, secret);
            return Map.entry(key, secret);
        });
    }

    List<String> proxyTokens() {
        return alone(() -> List.copyOf(proxyTokens.keySet()));
    }

    boolean deleteProxyToken(String key) {
        return alone(() -> proxyTokens.remove(key) != null);
    }

    boolean admits(String key, String secret) {
        return !secret.isEmpty()
                && alone(() -> Optional.ofNullable(proxyTokens.get(key))
                        .filter(Secret.of(secret)::equals)
                        .isPresent());
    }

    void close() {
        apps().forEach(StandInApp::close);
    }
}
