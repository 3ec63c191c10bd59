package dev.tuna.router;

import dev.tuna.router.admin.EditableRoute;
import dev.tuna.router.admin.UrlRoute;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The routes that are made of URLs, and the threads that watch their replicas, which there are only once there is such a
 * route. Thread-safe.
 */
final class UrlRoutes implements AutoCloseable {

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

    private final Consumer<Route> router;
    private final ReentrantLock lock = new ReentrantLock();

    // Guarded by the lock.
    private final Map<String, UrlRoute> routes = new HashMap<>();
    private @Nullable ScheduledExecutorService scheduler;
    private @Nullable HttpClient client;

    UrlRoutes(Consumer<Route> router) {
        this.router = router;
    }

    void start(UrlRoute.Builder description) {
        lock.lock();
        try {
            if (scheduler == null) {
                scheduler = Executors.newSingleThreadScheduledExecutor(UrlRoutes::thread);
            }
            if (client == null) {
                client = HttpClient.newBuilder()
                        .executor(scheduler)
                        .connectTimeout(CONNECT_TIMEOUT)
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .build();
            }
            UrlRoute route = description.start(router, scheduler, client);
            @Nullable UrlRoute before = routes.put(route.deployment(), route);
            if (before != null) {
                before.close();
            }
        } finally {
            lock.unlock();
        }
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(task, "tuna-router-health");
        thread.setDaemon(true);
        return thread;
    }

    void stop(String deployment) {
        lock.lock();
        try {
            @Nullable UrlRoute route = routes.remove(deployment);
            if (route != null) {
                route.close();
            }
        } finally {
            lock.unlock();
        }
    }

    Optional<EditableRoute> named(String deployment) {
        lock.lock();
        try {
            return Optional.ofNullable(routes.get(deployment));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            routes.values().forEach(UrlRoute::close);
            if (scheduler != null) {
                scheduler.shutdownNow();
            }
            client = null;
        } finally {
            lock.unlock();
        }
    }
}
