package dev.tuna.router.proxy;

import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import dev.tuna.router.BackendFailure;
import dev.tuna.router.BackendLoad;
import dev.tuna.router.Route;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RouteLoad;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RouterListener;
import dev.tuna.router.admin.RouterControl.RouteStatus;
import dev.tuna.router.select.BackendSelector;
import dev.tuna.router.select.Choice;
import dev.tuna.router.select.Choice.Outcome;
import dev.tuna.router.select.RetryBudget;
import dev.tuna.router.state.SpotEvent.FleetSeen;
import dev.tuna.router.state.SpotTransitions;
import dev.tuna.router.stream.Method;
import dev.tuna.spi.BackendTls;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A route at work: its backends, permits, waiting room and counts. Thread-safe; requests take no lock. It lives as long as
 * the deployment is routed, however often its {@link Route} is replaced.
 *
 * <p>Each request that was let in ends in exactly one of {@code succeeded}, {@code failed} and {@code clientErrors}, so that
 * requests = these three + in flight + waiting once everything has come to rest.
 */
final class RouteRuntime {

    private static final Logger LOG = LoggerFactory.getLogger(RouteRuntime.class);

    /** The route with what belongs to it, swapped as one. */
    private record View(Route route, Keys keys, List<BackendRuntime> replicas, List<BackendRuntime> serverless) {}

    private final RouterListener listener;
    private final RouteMetrics metrics;
    private final RouterEvents.Watch watch;
    private final LongSupplier clock;
    private final InstantSource wall;
    private final WaitingRoom room = new WaitingRoom();
    private final AtomicInteger permits = new AtomicInteger();
    private final AtomicInteger rotation = new AtomicInteger();
    private final Swapped<RetryBudget> budget;
    private final AtomicBoolean demanded = new AtomicBoolean();
    private final List<BackendRuntime> leaving = new CopyOnWriteArrayList<>();
    private volatile View view;
    private volatile boolean gone;

    private final LongAdder requests = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder rejected = new LongAdder();
    private final LongAdder clientErrors = new LongAdder();
    private final LongAdder failedOver = new LongAdder();
    private final LongAdder tokens = new LongAdder();
    private final Counts<Tier> succeeded = new Counts<>(Tier.class);
    private final Counts<BackendFailure> failures = new Counts<>(BackendFailure.class);

    RouteRuntime(
            Route route,
            RouterListener listener,
            RouteMetrics metrics,
            RouterEvents events,
            LongSupplier clock,
            InstantSource wall) {
        this.listener = listener;
        this.metrics = metrics;
        this.watch = events.watch(this);
        this.clock = clock;
        this.wall = wall;
        this.budget = new Swapped<>(RetryBudget.full(clock.getAsLong()));
        this.view = view(route, List.of());
    }

    // --- the route ---

    Route route() {
        return view.route;
    }

    RoutePolicy policy() {
        return view.route.policy();
    }

    String name() {
        return view.route.deployment();
    }

    boolean letsIn(byte @Nullable [] keyHash) {
        View current = view;
        return current.route.publicAccess() || current.keys.accept(keyHash);
    }

    boolean takesAnyModel() {
        return view.route.models().contains(Route.ANY_MODEL);
    }

    List<BackendRuntime> replicas() {
        return view.replicas;
    }

    boolean isUsed(Endpoint endpoint) {
        View current = view;
        return current.replicas.stream().anyMatch(backend -> backend.endpoint().equals(endpoint))
                || current.serverless.stream()
                        .anyMatch(backend -> backend.endpoint().equals(endpoint));
    }

    /** The identities by which its backends are reached. */
    Stream<BackendTls> identities() {
        View current = view;
        return Stream.concat(current.replicas.stream(), current.serverless.stream())
                .flatMap(backend -> backend.endpoint().identity().stream());
    }

    /** Replaces the route. To be called by one thread at a time. */
    void update(Route route) {
        View old = view;
        List<BackendRuntime> known = new ArrayList<>(old.replicas);
        known.addAll(old.serverless);
        View next = view(route, known);
        known.removeAll(next.replicas);
        known.removeAll(next.serverless);
        leaving.removeIf(backend -> backend.inFlight() == 0);
        leaving.addAll(known);
        view = next;
        room.callOne();
    }

    private View view(Route route, List<BackendRuntime> known) {
        View view = viewOf(route, known);
        long now = clock.getAsLong();
        Instant today = wall.instant();
        Stream.concat(view.replicas.stream(), view.serverless.stream())
                .forEach(backend -> backend.learnEnd(now, today));
        return view;
    }

    private View viewOf(Route route, List<BackendRuntime> known) {
        return new View(
                route,
                new Keys(route.keys()),
                runtimes(route.replicas(), route.policy(), known),
                runtimes(route.serverless(), route.policy(), known));
    }

    private List<BackendRuntime> runtimes(List<RouteBackend> backends, RoutePolicy policy, List<BackendRuntime> known) {
        return backends.stream().map(backend -> runtime(backend, policy, known)).toList();
    }

    private BackendRuntime runtime(RouteBackend backend, RoutePolicy policy, List<BackendRuntime> known) {
        for (BackendRuntime runtime : known) {
            if (runtime.isSameAs(backend)) {
                runtime.update(backend, policy);
                return runtime;
            }
        }
        return new BackendRuntime(backend, policy, clock.getAsLong(), this::changed);
    }

    /** The route is gone: nothing will come for those who wait. */
    void close() {
        gone = true;
        metrics.close();
        room.callAll();
        changed();
    }

    /** Something that {@code /router/events} tells may have changed. */
    void changed() {
        watch.call();
    }

    boolean isGone() {
        return gone;
    }

    // --- requests ---

    /**
     * Lets a request in, to be {@linkplain #settleSuccess settled} exactly once, or counts it as rejected.
     *
     * @param retry whether the client sends it again, which is no new reason to try anything twice
     * @return whether it is let in
     */
    boolean admit(boolean retry) {
        if (policy().refusal().isPresent()) {
            rejected.increment();
            return false;
        }
        if (permits.incrementAndGet() > policy().maxInFlight()) {
            permits.decrementAndGet();
            rejected.increment();
            return false;
        }
        requests.increment();
        if (retry) {
            metrics.clientRetry();
        } else {
            long now = clock.getAsLong();
            budget.update(current -> current.requested(now));
        }
        return true;
    }

    /**
     * Chooses the backend of an attempt.
     *
     * @param tried what has failed this request
     * @param conversation which conversation it belongs to
     * @param last whether no other attempt can follow: then serverless is preferred, which nobody takes away
     * @param now the time
     * @return a backend, or why there is none
     */
    Choice<BackendRuntime> choose(Predicate<BackendRuntime> tried, OptionalLong conversation, boolean last, long now) {
        View current = view;
        int turn = rotation.getAndIncrement();
        if (last) {
            Choice<BackendRuntime> safest =
                    BackendSelector.choose(List.of(), current.serverless, tried, OptionalLong.empty(), turn, now);
            if (safest.outcome() == Outcome.SERVERLESS) {
                return safest;
            }
        }
        OptionalLong home = current.route.policy().affinity() ? conversation : OptionalLong.empty();
        return BackendSelector.choose(current.replicas, current.serverless, tried, home, turn, now);
    }

    /** Whether another backend could take the request at once. */
    boolean hasOther(Predicate<BackendRuntime> tried, long now) {
        View current = view;
        Outcome found = BackendSelector.choose(
                        current.replicas, current.serverless, tried, OptionalLong.empty(), 0, now)
                .outcome();
        return found == Outcome.REPLICA || found == Outcome.SERVERLESS;
    }

    boolean isWarming() {
        return view.route.warming() > 0;
    }

    /** A request found no replica. */
    void demand() {
        if (!demanded.get() && demanded.compareAndSet(false, true)) {
            guarded(() -> listener.onDemand(name()));
        }
    }

    /** A replica has served a request. */
    private void replicaServed() {
        if (demanded.get()) {
            demanded.set(false);
        }
    }

    boolean mayRetry(long now) {
        return budget.get().allowsRetry(now);
    }

    void retried(long now) {
        budget.update(current -> current.retried(now));
    }

    WaitingRoom room() {
        return room;
    }

    /** An attempt failed through the backend's fault. */
    void attemptFailed(BackendRuntime backend, BackendFailure failure, String detail) {
        failures.increment(failure);
        LOG.debug("{}: attempt on {} failed: {} ({})", name(), backend, failure, detail);
        guarded(() -> listener.onBackendFailure(name(), backend.id(), failure, detail));
    }

    /**
     * A request goes to another backend than before.
     *
     * @param failure how the one before failed it; empty if the request leaves before the backend ends
     */
    void failover(Optional<BackendFailure> failure) {
        metrics.failover(failure);
    }

    /**
     * A backend was asked to go on with a stream.
     *
     * @param method how
     * @param success whether it did
     */
    void continuation(Method method, boolean success) {
        metrics.continuation(method, success);
    }

    /** A stream broke and could not be continued. */
    void notContinued() {
        metrics.notContinued();
    }

    /**
     * The client is about to get the first token of a stream.
     *
     * @param backend who made it
     * @param nanos since the request arrived
     */
    void firstToken(BackendRuntime backend, long nanos) {
        metrics.firstToken(backend.tier(), nanos);
    }

    /** A backend has generated tokens. */
    void generated(int count) {
        tokens.add(count);
    }

    /**
     * A stream has ended well.
     *
     * @param backend who made it
     * @param nanosPerToken mean time for each token after the first
     */
    void tokens(BackendRuntime backend, long nanosPerToken) {
        metrics.perToken(backend.tier(), nanosPerToken);
    }

    /** A request has waited for a backend. */
    void waited(long nanos) {
        metrics.waited(nanos);
    }

    /** What the router itself has added to an answer. */
    void overhead(long nanos) {
        metrics.overhead(nanos);
    }

    // --- settling: exactly one of these for each request let in ---

    void settleSuccess(BackendRuntime backend, boolean another, long nanos) {
        metrics.succeeded(backend.tier(), nanos);
        if (backend.isReplica()) {
            replicaServed();
        }
        succeeded.increment(backend.tier());
        if (another) {
            failedOver.increment();
        }
        permits.decrementAndGet();
    }

    void settleFailure() {
        failed.increment();
        permits.decrementAndGet();
    }

    void settleClientError() {
        clientErrors.increment();
        permits.decrementAndGet();
    }

    // --- reading ---

    RouteLoad load() {
        View current = view;
        long now = clock.getAsLong();
        return new RouteLoad(traffic(), tokens.sum(), spotState(current, now), backendLoads(current, now));
    }

    private TrafficStats traffic() {
        int waiting = room.size();
        Map<Tier, Long> byTier = succeeded.all();
        return new TrafficStats(
                requests.sum(),
                byTier.values().stream().mapToLong(Long::longValue).sum(),
                failed.sum(),
                rejected.sum(),
                clientErrors.sum(),
                failedOver.sum(),
                Math.max(0, permits.get() - waiting),
                waiting,
                byTier);
    }

    private static SpotState spotState(View current, long now) {
        int usable = 0;
        int resting = 0;
        for (BackendRuntime replica : current.replicas) {
            if (!replica.backend().draining()) {
                if (replica.isBroken(now)) {
                    resting++;
                } else {
                    usable++;
                }
            }
        }
        return SpotTransitions.next(SpotState.COLD, new FleetSeen(current.route.warming() + resting, usable));
    }

    private Map<String, BackendLoad> backendLoads(View current, long now) {
        Map<String, BackendLoad> loads = new HashMap<>();
        for (BackendRuntime backend : leaving) {
            if (backend.inFlight() > 0) {
                loads.put(backend.id(), backend.load(now));
            }
        }
        current.serverless.forEach(backend -> loads.merge(backend.id(), backend.load(now), RouteRuntime::sum));
        current.replicas.forEach(backend -> loads.merge(backend.id(), backend.load(now), RouteRuntime::sum));
        return loads;
    }

    /** A backend that moved to another address still works at the old one. */
    private static BackendLoad sum(BackendLoad old, BackendLoad current) {
        return new BackendLoad(
                old.inFlight() + current.inFlight(),
                old.attempts() + current.attempts(),
                old.failures() + current.failures(),
                current.available(),
                current.breaker(),
                current.share(),
                current.lastFailure());
    }

    RouteStatus status() {
        return new RouteStatus(route(), load(), failures.all());
    }

    /** A listener's fault is not the request's. */
    private void guarded(Runnable call) {
        try {
            call.run();
        } catch (Throwable e) {
            LOG.warn("{}: the router's listener failed", name(), e);
        }
    }
}
