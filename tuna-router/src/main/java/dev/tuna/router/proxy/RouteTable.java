package dev.tuna.router.proxy;

import dev.tuna.router.Route;
import dev.tuna.router.RouterListener;
import dev.tuna.spi.BackendTls;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** All routes, found by model. Thread-safe: readers see one whole value, writers take turns. */
final class RouteTable {

    private record Tables(Map<String, RouteRuntime> byName, Map<String, RouteRuntime> byModel) {
        static Tables of(Map<String, RouteRuntime> byName) {
            Map<String, RouteRuntime> byModel = new HashMap<>();
            for (RouteRuntime runtime : byName.values()) {
                runtime.route().models().forEach(model -> byModel.put(model, runtime));
            }
            return new Tables(byName, byModel);
        }
    }

    private final RouterListener listener;
    private final ProxyMetrics metrics;
    private final RouterEvents events;
    private final LongSupplier clock;
    private final InstantSource wall;
    private final ReentrantLock writing = new ReentrantLock();
    private volatile Tables tables = Tables.of(Map.of());

    RouteTable(
            RouterListener listener,
            ProxyMetrics metrics,
            RouterEvents events,
            LongSupplier clock,
            InstantSource wall) {
        this.listener = listener;
        this.metrics = metrics;
        this.events = events;
        this.clock = clock;
        this.wall = wall;
    }

    void put(Route route) {
        writing.lock();
        try {
            refuseSharedModel(route);
            Map<String, RouteRuntime> byName = new LinkedHashMap<>(tables.byName);
            @Nullable RouteRuntime runtime = byName.get(route.deployment());
            if (runtime == null) {
                runtime = new RouteRuntime(route, listener, metrics.of(route.deployment()), events, clock, wall);
                byName.put(route.deployment(), runtime);
            } else {
                runtime.update(route);
            }
            tables = Tables.of(byName);
            runtime.changed(); // now that whoever hears of it can see it
        } finally {
            writing.unlock();
        }
    }

    private void refuseSharedModel(Route route) {
        for (String model : route.models()) {
            @Nullable RouteRuntime other = tables.byModel.get(model);
            if (other != null && !other.name().equals(route.deployment())) {
                throw new IllegalArgumentException("routes '" + other.name() + "' and '" + route.deployment()
                        + "' both serve model '" + model + "'; one endpoint serves a model from one deployment only,"
                        + " so give one of them another model name");
            }
        }
    }

    /** Takes a route away; what runs on it goes on, what waits is told. */
    void remove(String deployment) {
        writing.lock();
        try {
            Map<String, RouteRuntime> byName = new LinkedHashMap<>(tables.byName);
            @Nullable RouteRuntime gone = byName.remove(deployment);
            tables = Tables.of(byName);
            if (gone != null) {
                gone.close();
            }
        } finally {
            writing.unlock();
        }
    }

    Optional<RouteRuntime> named(String deployment) {
        return Optional.ofNullable(tables.byName.get(deployment));
    }

    /** The route of a model, if the caller may use it. */
    @Nullable
    RouteRuntime find(String model, byte @Nullable [] keyHash) {
        Map<String, RouteRuntime> byModel = tables.byModel;
        @Nullable RouteRuntime named = byModel.get(model);
        @Nullable RouteRuntime found = named != null ? named : byModel.get(Route.ANY_MODEL);
        return found != null && found.letsIn(keyHash) ? found : null;
    }

    /** The routes that the caller may use. */
    List<RouteRuntime> usable(byte @Nullable [] keyHash) {
        List<RouteRuntime> usable = new ArrayList<>();
        for (RouteRuntime runtime : tables.byName.values()) {
            if (runtime.letsIn(keyHash)) {
                usable.add(runtime);
            }
        }
        return usable;
    }

    /** Whether the caller may use any of them; if there is none, there is nothing to protect. */
    boolean areOpenTo(byte @Nullable [] keyHash) {
        Map<String, RouteRuntime> byName = tables.byName;
        for (RouteRuntime runtime : byName.values()) {
            if (runtime.letsIn(keyHash)) {
                return true;
            }
        }
        return byName.isEmpty();
    }

    boolean areUsing(Endpoint endpoint) {
        return tables.byName.values().stream().anyMatch(route -> route.isUsed(endpoint));
    }

    /** The identities by which backends of any route are reached. */
    Set<BackendTls> identities() {
        return tables.byName.values().stream().flatMap(RouteRuntime::identities).collect(Collectors.toSet());
    }

    List<RouteRuntime> all() {
        return List.copyOf(tables.byName.values());
    }
}
