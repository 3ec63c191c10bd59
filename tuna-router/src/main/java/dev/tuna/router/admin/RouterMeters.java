package dev.tuna.router.admin;

import static dev.tuna.router.admin.Labels.lower;

import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import dev.tuna.router.BackendFailure;
import dev.tuna.router.BreakerPhase;
import dev.tuna.router.RouteLoad;
import dev.tuna.router.admin.RouterControl.RouteStatus;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToDoubleFunction;

/**
 * The routes' counts as Micrometer meters, read from the router when somebody looks. Tags are the deployment, the tier, the
 * outcome and the kind of failure: their number is bounded by the number of deployments. Thread-safe.
 *
 * <table>
 *   <caption>Meters</caption>
 *   <tr><th>name</th><th>kind</th><th>tags beside {@code deployment}</th></tr>
 *   <tr><td>{@code tuna.router.requests}</td><td>counter</td><td>{@code outcome}: succeeded, failed, client_error, rejected</td></tr>
 *   <tr><td>{@code tuna.router.answers}</td><td>counter</td><td>{@code tier}</td></tr>
 *   <tr><td>{@code tuna.router.tokens}</td><td>counter</td><td></td></tr>
 *   <tr><td>{@code tuna.router.backend.failures}</td><td>counter</td><td>{@code failure}</td></tr>
 *   <tr><td>{@code tuna.router.requests.active}</td><td>gauge</td><td></td></tr>
 *   <tr><td>{@code tuna.router.requests.waiting}</td><td>gauge</td><td></td></tr>
 *   <tr><td>{@code tuna.router.spot.state}</td><td>gauge, 1 for the present state</td><td>{@code state}</td></tr>
 *   <tr><td>{@code tuna.router.backends}</td><td>gauge</td><td>{@code available}: true, false</td></tr>
 *   <tr><td>{@code tuna.router.breakers}</td><td>gauge, backends by their breaker</td><td>{@code state}</td></tr>
 *   <tr><td>{@code tuna.router.spot.share}</td><td>gauge, the greatest share of traffic that a replica is quick enough for</td><td></td></tr>
 * </table>
 */
public final class RouterMeters implements AutoCloseable {

    private final MeterRegistry registry;
    private final RouterControl router;
    private final ReentrantLock lock = new ReentrantLock();
    /** Guarded by the lock. */
    private final Map<String, List<Meter>> metersByDeployment = new HashMap<>();

    /**
     * Meters of a router's routes.
     *
     * @param registry where they go; not closed here
     * @param router where they come from
     */
    public RouterMeters(MeterRegistry registry, RouterControl router) {
        this.registry = registry;
        this.router = router;
    }

    /** To be called when a route was put or removed: adds what is new, removes what is gone. */
    public void routesChanged() {
        lock.lock();
        try {
            Set<String> present = new HashSet<>();
            for (RouteStatus status : router.routes()) {
                String deployment = status.route().deployment();
                present.add(deployment);
                metersByDeployment.computeIfAbsent(deployment, this::register);
            }
            Set<String> gone = new HashSet<>(metersByDeployment.keySet());
            gone.removeAll(present);
            gone.forEach(this::unregister);
        } finally {
            lock.unlock();
        }
    }

    /** Removes every meter. */
    @Override
    public void close() {
        lock.lock();
        try {
            Set.copyOf(metersByDeployment.keySet()).forEach(this::unregister);
        } finally {
            lock.unlock();
        }
    }

    private void unregister(String deployment) {
        List<Meter> meters = metersByDeployment.remove(deployment);
        if (meters != null) {
            meters.forEach(registry::remove);
        }
    }

    private List<Meter> register(String deployment) {
        Tags tags = Tags.of("deployment", deployment);
        List<Meter> meters = new ArrayList<>();
        String requests = "tuna.router.requests";
        String help = "Requests that have ended, or were turned away";
        outcomes()
                .forEach((outcome, count) ->
                        meters.add(counter(requests, help, tags.and("outcome", outcome), traffic(deployment, count))));
        for (Tier tier : Tier.values()) {
            meters.add(counter(
                    "tuna.router.answers",
                    "Requests answered with success, by tier",
                    tags.and("tier", lower(tier)),
                    traffic(deployment, traffic -> traffic.byTier().getOrDefault(tier, 0L))));
        }
        meters.add(counter(
                "tuna.router.tokens",
                "Tokens that backends generated in streams",
                tags,
                load(deployment, load -> load.tokens())));
        for (BackendFailure failure : BackendFailure.values()) {
            meters.add(counter(
                    "tuna.router.backend.failures",
                    "Attempts that failed through a backend's fault",
                    tags.and("failure", lower(failure)),
                    control -> control.route(deployment)
                            .map(status -> status.failures().getOrDefault(failure, 0L))
                            .orElse(0L)));
        }
        meters.add(gauge(
                "tuna.router.requests.active",
                "Requests being served",
                tags,
                traffic(deployment, TrafficStats::inFlight)));
        meters.add(gauge(
                "tuna.router.requests.waiting",
                "Requests waiting for a backend to come up",
                tags,
                traffic(deployment, TrafficStats::waiting)));
        for (SpotState state : SpotState.values()) {
            meters.add(gauge(
                    "tuna.router.spot.state",
                    "1 for the state that the replicas are in",
                    tags.and("state", lower(state)),
                    load(deployment, load -> load.spotState() == state ? 1 : 0)));
        }
        for (boolean available : new boolean[] {true, false}) {
            meters.add(gauge(
                    "tuna.router.backends",
                    "Backends, by whether a request would be sent to them",
                    tags.and("available", Boolean.toString(available)),
                    load(
                            deployment,
                            load -> load.backends().values().stream()
                                    .filter(backend -> backend.available() == available)
                                    .count())));
        }
        for (BreakerPhase phase : BreakerPhase.values()) {
            meters.add(gauge(
                    "tuna.router.breakers",
                    "Backends by the state of their circuit breaker",
                    tags.and("state", lower(phase)),
                    load(
                            deployment,
                            load -> load.backends().values().stream()
                                    .filter(backend -> backend.breaker() == phase)
                                    .count())));
        }
        meters.add(gauge(
                "tuna.router.spot.share",
                "The greatest share of the traffic that a replica is quick enough for; 0 without replicas",
                tags,
                router -> router.route(deployment).map(RouterMeters::spotShare).orElse(0.0)));
        return meters;
    }

    private static double spotShare(RouteStatus status) {
        return status.route().replicas().stream()
                .mapToDouble(replica -> status.load().backend(replica.id()).share())
                .max()
                .orElse(0);
    }

    private static Map<String, ToDoubleFunction<TrafficStats>> outcomes() {
        return Map.of(
                "succeeded", TrafficStats::succeeded,
                "failed", TrafficStats::failed,
                "client_error", TrafficStats::clientErrors,
                "rejected", TrafficStats::rejected);
    }

    private Meter counter(String name, String help, Tags tags, ToDoubleFunction<RouterControl> value) {
        return FunctionCounter.builder(name, router, value)
                .description(help)
                .tags(tags)
                .register(registry);
    }

    private Meter gauge(String name, String help, Tags tags, ToDoubleFunction<RouterControl> value) {
        return Gauge.builder(name, router, value).description(help).tags(tags).register(registry);
    }

    private static ToDoubleFunction<RouterControl> traffic(String deployment, ToDoubleFunction<TrafficStats> value) {
        return load(deployment, load -> value.applyAsDouble(load.traffic()));
    }

    private static ToDoubleFunction<RouterControl> load(String deployment, ToDoubleFunction<RouteLoad> value) {
        return router -> router.route(deployment)
                .map(status -> value.applyAsDouble(status.load()))
                .orElse(0.0);
    }
}
