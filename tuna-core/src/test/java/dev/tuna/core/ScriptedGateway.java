package dev.tuna.core;

import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import dev.tuna.core.control.Gateway;
import dev.tuna.router.BackendFailure;
import dev.tuna.router.BackendLoad;
import dev.tuna.router.BreakerPhase;
import dev.tuna.router.Route;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RouteLoad;
import dev.tuna.router.RouterListener;
import dev.tuna.testkit.cloud.simulated.SimulatedCloud;
import dev.tuna.testkit.time.VirtualTime;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** An endpoint on virtual time: replicas first, serverless else, and a waiting room. Confined to the thread of the time. */
public final class ScriptedGateway implements Gateway {

    private final VirtualTime time;
    private final SimulatedCloud cloud;
    private final RouterListener listener;
    private final Predicate<URI> alive;
    private final Map<String, Traffic> routes = new HashMap<>();
    private boolean closed;

    ScriptedGateway(VirtualTime time, SimulatedCloud cloud, Predicate<URI> alive, RouterListener listener) {
        this.time = time;
        this.cloud = cloud;
        this.alive = alive;
        this.listener = listener;
    }

    /** What one deployment had to do. */
    private static final class Traffic {
        Route route;
        long requests;
        long succeeded;
        long failed;
        long rejected;
        long failedOver;
        long tokens;
        int inFlight;
        final Map<Tier, Long> byTier = new EnumMap<>(Tier.class);
        final Map<String, Integer> busy = new HashMap<>();
        final Map<String, Long> attempts = new HashMap<>();
        final ArrayDeque<Duration> waiting = new ArrayDeque<>();

        Traffic(Route route) {
            this.route = route;
        }
    }

    @Override
    public void put(Route route) {
        Traffic traffic = routes.computeIfAbsent(route.deployment(), name -> new Traffic(route));
        traffic.route = route;
        for (int waiting = traffic.waiting.size(); waiting > 0; waiting--) {
            send(traffic, traffic.waiting.remove(), 1);
        }
    }

    public Route route(String deployment) {
        return traffic(deployment).route;
    }

    private Traffic traffic(String deployment) {
        return Optional.ofNullable(routes.get(deployment)).orElseThrow();
    }

    public boolean has(String deployment) {
        return routes.containsKey(deployment);
    }

    public void request(String deployment, Duration serviceTime) {
        Traffic traffic = traffic(deployment);
        if (traffic.route.policy().refusal().isPresent()) {
            traffic.rejected++;
            return;
        }
        traffic.requests++;
        send(traffic, serviceTime, 1);
    }

    /** Backends have generated so many tokens. */
    public void generated(String deployment, long tokens) {
        traffic(deployment).tokens += tokens;
    }

    private void send(Traffic traffic, Duration serviceTime, int attempt) {
        Optional<RouteBackend> replica = traffic.route.replicas().stream()
                .filter(backend -> !backend.draining())
                .filter(backend -> answers(traffic, backend))
                .findFirst();
        if (replica.isEmpty()) {
            listener.onDemand(traffic.route.deployment());
        }
        Optional<RouteBackend> chosen = replica.or(() -> traffic.route.serverless().stream()
                .filter(backend -> !backend.draining())
                .findFirst());
        if (chosen.isEmpty()) {
            traffic.waiting.add(serviceTime);
            return;
        }
        RouteBackend backend = chosen.get();
        traffic.inFlight++;
        traffic.busy.merge(backend.id(), 1, Integer::sum);
        traffic.attempts.merge(backend.id(), 1L, Long::sum);
        if (backend.tier() == Tier.SERVERLESS) {
            var unused = cloud.request(backend.address(), serviceTime)
                    .thenAccept(status -> done(traffic, backend, serviceTime, attempt, status == 200));
        } else {
            var unused = time.scheduler()
                    .schedule(
                            () -> done(
                                    traffic,
                                    backend,
                                    serviceTime,
                                    attempt,
                                    alive.test(backend.address().url())),
                            serviceTime.toNanos(),
                            TimeUnit.NANOSECONDS);
        }
    }

    private boolean answers(Traffic traffic, RouteBackend backend) {
        boolean answers = alive.test(backend.address().url());
        if (!answers) {
            traffic.failedOver++;
            listener.onBackendFailure(
                    traffic.route.deployment(), backend.id(), BackendFailure.CONNECT, "connection refused");
        }
        return answers;
    }

    private void done(Traffic traffic, RouteBackend backend, Duration serviceTime, int attempt, boolean well) {
        traffic.inFlight--;
        traffic.busy.merge(backend.id(), -1, Integer::sum);
        if (well) {
            traffic.succeeded++;
            traffic.byTier.merge(backend.tier(), 1L, Long::sum);
        } else if (attempt >= traffic.route.policy().maxAttempts()) {
            traffic.failed++;
        } else {
            traffic.failedOver++;
            send(traffic, serviceTime, attempt + 1);
        }
    }

    @Override
    public void remove(String deployment) {
        routes.remove(deployment);
    }

    @Override
    public RouteLoad load(String deployment) {
        Traffic traffic = routes.get(deployment);
        if (traffic == null) {
            return RouteLoad.NONE;
        }
        List<RouteBackend> backends = new ArrayList<>(traffic.route.serverless());
        backends.addAll(traffic.route.replicas());
        Map<String, BackendLoad> loads = new HashMap<>();
        backends.forEach(backend -> loads.put(
                backend.id(),
                new BackendLoad(
                        traffic.busy.getOrDefault(backend.id(), 0),
                        traffic.attempts.getOrDefault(backend.id(), 0L),
                        0,
                        true,
                        BreakerPhase.CLOSED,
                        1,
                        Optional.empty())));
        return new RouteLoad(
                new TrafficStats(
                        traffic.requests,
                        traffic.succeeded,
                        traffic.failed,
                        traffic.rejected,
                        0,
                        traffic.failedOver,
                        traffic.inFlight,
                        traffic.waiting.size(),
                        traffic.byTier),
                traffic.tokens,
                SpotState.COLD,
                loads);
    }

    @Override
    public URI address() {
        return URI.create("http://127.0.0.1:8080");
    }

    public boolean isClosed() {
        return closed;
    }

    @Override
    public void close() {
        closed = true;
    }
}
