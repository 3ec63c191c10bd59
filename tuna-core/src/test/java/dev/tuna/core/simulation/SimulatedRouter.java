package dev.tuna.core.simulation;

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
import java.net.URI;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The endpoint of one process on virtual time: a ready replica with the fewest requests, else serverless in its order, else
 * the waiting room; a backend that failed a request is left alone for a while. Clients are patient: what fails everywhere
 * waits and is tried again. Confined to the thread of the time.
 */
final class SimulatedRouter implements Gateway {

    private static final Duration COOL_DOWN = Duration.ofSeconds(10);
    private static final Duration NO_ANSWER_AFTER = Duration.ofSeconds(30);
    private static final Duration TRY_AGAIN = Duration.ofSeconds(5);
    private static final Duration HOP = Duration.ofMillis(5);
    private static final String HANGS = "no answer";
    /** No request takes nearly as long as an endpoint gives it: it has waited there behind the others of a burst. */
    private static final String QUEUED_TOO_LONG = "HTTP 504";

    private final World world;
    private final RouterListener listener;
    private final Map<String, Lane> lanes = new LinkedHashMap<>();
    private final Map<URI, Integer> busy = new HashMap<>();
    /** Since when machines have got no new requests. */
    private final Map<URI, Long> left = new HashMap<>();

    private boolean dead;

    SimulatedRouter(World world, RouterListener listener) {
        this.world = world;
        this.listener = listener;
    }

    private static final class Request {
        final Duration service;
        final long since;
        final Set<String> failed = new HashSet<>();

        @Nullable
        CompletableFuture<Integer> upstream;

        Request(Duration service, long since) {
            this.service = service;
            this.since = since;
        }
    }

    private static final class Load {
        int inFlight;
        long attempts;
        long failures;
        long coolUntil;
    }

    /** One route and its requests. */
    private static final class Lane {
        Route route;
        final Set<Request> open = new LinkedHashSet<>();
        final Deque<Request> waiting = new ArrayDeque<>();
        final Map<String, Load> loads = new LinkedHashMap<>();
        final Map<Tier, Long> byTier = new EnumMap<>(Tier.class);
        long requests;
        long succeeded;
        long rejected;
        long failedOver;
        int inFlight;
        boolean demandTold;
        boolean retrying;

        @Nullable
        RouteLoad load;

        Lane(Route route) {
            this.route = route;
        }

        Load of(String backend) {
            load = null;
            return loads.computeIfAbsent(backend, id -> new Load());
        }
    }

    boolean request(String deployment, Duration service) {
        Lane lane = lanes.get(deployment);
        if (dead || lane == null) {
            return false;
        }
        var request = new Request(service, world.time.nanoTime());
        lane.requests++;
        lane.load = null;
        lane.open.add(request);
        send(lane, request);
        return true;
    }

    /** Whether new requests are sent there. */
    boolean isChosen(URI machine) {
        return lanes.values().stream()
                .flatMap(lane -> lane.route.replicas().stream())
                .anyMatch(backend -> backend.address().url().equals(machine) && !backend.draining());
    }

    /** Requests that a machine has not answered yet. */
    int inFlight(URI machine) {
        return busy.getOrDefault(machine, 0);
    }

    /** How long a machine that was sent requests has been sent none any more. */
    Duration unchosen(URI machine) {
        Long since = left.get(machine);
        return since == null ? Duration.ZERO : Duration.ofNanos(world.time.nanoTime() - since);
    }

    /** When the request that has been waiting for its answer longest came. */
    OptionalLong oldest(String deployment) {
        Lane lane = lanes.get(deployment);
        return lane == null
                ? OptionalLong.empty()
                : lane.open.stream().mapToLong(request -> request.since).findFirst();
    }

    private void send(Lane lane, Request request) {
        if (dead || !lane.open.contains(request)) {
            return;
        }
        Optional<RouteBackend> replica = lane.route.replicas().stream()
                .filter(backend -> isUsable(lane, request, backend))
                .min(Comparator.comparingInt(backend -> lane.of(backend.id()).inFlight));
        if (replica.isEmpty() && !lane.demandTold) {
            lane.demandTold = true;
            listener.onDemand(lane.route.deployment());
        }
        Optional<RouteBackend> chosen = replica.or(() -> lane.route.serverless().stream()
                .filter(backend -> isUsable(lane, request, backend))
                .findFirst());
        chosen.ifPresentOrElse(backend -> attempt(lane, request, backend), () -> await(lane, request));
    }

    private boolean isUsable(Lane lane, Request request, RouteBackend backend) {
        return !backend.draining()
                && !request.failed.contains(backend.id())
                && lane.of(backend.id()).coolUntil <= world.time.nanoTime();
    }

    private void await(Lane lane, Request request) {
        lane.load = null;
        if (lane.route.policy().waitingRoom() == 0) {
            lane.rejected++;
            lane.open.remove(request);
            return;
        }
        request.failed.clear();
        lane.waiting.add(request);
        if (!lane.retrying) {
            lane.retrying = true;
            world.later(TRY_AGAIN, () -> {
                lane.retrying = false;
                sendWaiting(lane);
            });
        }
    }

    private void sendWaiting(Lane lane) {
        lane.load = null;
        for (int left = lane.waiting.size(); left > 0; left--) {
            send(lane, lane.waiting.remove());
        }
    }

    private void attempt(Lane lane, Request request, RouteBackend backend) {
        Load load = lane.of(backend.id());
        load.inFlight++;
        load.attempts++;
        lane.inFlight++;
        URI url = backend.address().url();
        busy.merge(url, 1, Integer::sum);
        if (backend.tier() == Tier.SERVERLESS) {
            CompletableFuture<Integer> answer = world.cloudOf(url).request(backend.address(), request.service);
            request.upstream = answer;
            var unused = answer.thenAccept(
                    status -> world.later(HOP, () -> over(lane, request, backend, failure(status), "HTTP " + status)));
        } else if (!world.cloudOf(url).listens(url)) {
            world.later(
                    HOP, () -> over(lane, request, backend, Optional.of(BackendFailure.CONNECT), "connection refused"));
        } else if (!world.cloudOf(url).answers(url)) {
            world.later(
                    NO_ANSWER_AFTER, () -> over(lane, request, backend, Optional.of(BackendFailure.NO_ANSWER), HANGS));
        } else {
            world.later(
                    request.service,
                    () -> over(
                            lane,
                            request,
                            backend,
                            world.cloudOf(url).answers(url) ? Optional.empty() : Optional.of(BackendFailure.NO_ANSWER),
                            "connection broke"));
        }
    }

    private static Optional<BackendFailure> failure(int status) {
        if (status == 200) {
            return Optional.empty();
        }
        return Optional.of(status == 429 ? BackendFailure.OVERLOADED : BackendFailure.SERVER_ERROR);
    }

    private void over(
            Lane lane, Request request, RouteBackend backend, Optional<BackendFailure> failure, String detail) {
        busy.merge(backend.address().url(), -1, Integer::sum);
        if (dead || !lane.open.contains(request)) {
            return;
        }
        Load load = lane.of(backend.id());
        load.inFlight--;
        lane.inFlight--;
        if (failure.isEmpty()) {
            lane.open.remove(request);
            lane.succeeded++;
            lane.byTier.merge(backend.tier(), 1L, Long::sum);
            lane.demandTold &= backend.tier() == Tier.SERVERLESS;
            return;
        }
        // Only a request can find out that a model server hangs, or that an endpoint has more to do than it may scale
        // to.
        if (!detail.equals(HANGS) && !detail.equals(QUEUED_TOO_LONG)) {
            world.attemptFailed(lane.route.deployment(), backend, detail);
        }
        load.failures++;
        load.coolUntil = world.time.nanoTime() + COOL_DOWN.toNanos();
        lane.failedOver++;
        request.failed.add(backend.id());
        listener.onBackendFailure(lane.route.deployment(), backend.id(), failure.get(), detail);
        send(lane, request);
    }

    @Override
    public void put(Route route) {
        Lane lane = lanes.computeIfAbsent(route.deployment(), name -> new Lane(route));
        Set<URI> chosen = chosen(route);
        chosen(lane.route).stream()
                .filter(machine -> !chosen.contains(machine))
                .forEach(machine -> left.put(machine, world.time.nanoTime()));
        lane.route = route;
        lane.load = null;
        if (!lane.waiting.isEmpty()) {
            world.later(HOP, () -> sendWaiting(lane));
        }
    }

    private static Set<URI> chosen(Route route) {
        return route.replicas().stream()
                .filter(backend -> !backend.draining())
                .map(backend -> backend.address().url())
                .collect(Collectors.toSet());
    }

    @Override
    public void remove(String deployment) {
        Lane lane = lanes.remove(deployment);
        if (lane != null) {
            abandon(lane);
        }
    }

    private static void abandon(Lane lane) {
        var open = List.copyOf(lane.open);
        lane.open.clear();
        open.stream()
                .flatMap(request -> Optional.ofNullable(request.upstream).stream())
                .forEach(upstream -> upstream.cancel(false));
    }

    @Override
    public RouteLoad load(String deployment) {
        Lane lane = lanes.get(deployment);
        if (lane == null) {
            return RouteLoad.NONE;
        }
        RouteLoad known = lane.load;
        if (known == null) {
            known = count(lane);
            lane.load = known;
        }
        return known;
    }

    private static RouteLoad count(Lane lane) {
        var loads = new LinkedHashMap<String, BackendLoad>();
        lane.loads.forEach((id, load) -> loads.put(
                id,
                new BackendLoad(
                        load.inFlight,
                        load.attempts,
                        load.failures,
                        load.coolUntil == 0,
                        load.coolUntil == 0 ? BreakerPhase.CLOSED : BreakerPhase.OPEN,
                        1,
                        Optional.empty())));
        return new RouteLoad(
                new TrafficStats(
                        lane.requests,
                        lane.succeeded,
                        0,
                        lane.rejected,
                        0,
                        lane.failedOver,
                        lane.inFlight,
                        lane.waiting.size(),
                        lane.byTier),
                0,
                SpotState.COLD,
                loads);
    }

    @Override
    public URI address() {
        return URI.create("http://127.0.0.1:8080");
    }

    /** Every connection breaks, so that clients' requests are over at the clouds too. */
    @Override
    public void close() {
        dead = true;
        new ArrayList<>(lanes.values()).forEach(SimulatedRouter::abandon);
        lanes.clear();
    }
}
