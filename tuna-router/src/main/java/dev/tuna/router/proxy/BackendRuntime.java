package dev.tuna.router.proxy;

import dev.tuna.api.Tier;
import dev.tuna.router.BackendFailure;
import dev.tuna.router.BackendLoad;
import dev.tuna.router.BreakerPhase;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.breaker.BreakerState;
import dev.tuna.router.select.Candidate;
import dev.tuna.router.select.EngineLoad;
import dev.tuna.router.select.LatencyShare;
import dev.tuna.router.stream.Capabilities;
import dev.tuna.router.stream.Departure;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What a backend is doing: attempts in flight, its breaker, its counts. Thread-safe without locks. Outlives the
 * {@link dev.tuna.router.Route}s that name it, as long as its address stays the same.
 */
final class BackendRuntime implements Candidate {

    /** How busy its server said it is, and when. */
    private record Told(EngineLoad load, long at) {}

    private final Runnable changed;
    private final Endpoint endpoint;
    private final String tierName;
    private final AtomicInteger inFlight = new AtomicInteger();
    private final Swapped<BreakerState> breaker = new Swapped<>(BreakerState.INITIAL);
    private final Swapped<LatencyShare> firstTokens;
    private final Swapped<LatencyShare> tokens;
    private final LongAdder attempts = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private volatile Capabilities capabilities = new Capabilities();
    private volatile RouteBackend backend;
    private volatile RoutePolicy.Breaker policy;
    private volatile RoutePolicy.Spill spill;
    private volatile Optional<Departure> departure = Optional.empty();
    private volatile Optional<BackendFailure> lastFailure = Optional.empty();
    private volatile @Nullable Told told;
    private volatile boolean tellsLoad = true;

    /**
     * A backend that nothing is known of.
     *
     * @param changed told when its breaker or its share may have changed
     */
    BackendRuntime(RouteBackend backend, RoutePolicy policy, long now, Runnable changed) {
        this.changed = changed;
        this.backend = backend;
        this.policy = policy.breaker();
        this.spill = policy.spill();
        this.firstTokens = new Swapped<>(LatencyShare.full(now));
        this.tokens = new Swapped<>(LatencyShare.full(now));
        this.endpoint = Endpoint.of(backend.address());
        this.tierName = backend.tier().name().toLowerCase(Locale.ROOT);
    }

    /** Takes over what may change while attempts run: draining, limits. */
    void update(RouteBackend backend, RoutePolicy policy) {
        if (!backend.revision().equals(this.backend.revision())) {
            capabilities = new Capabilities(); // another server answers at the same place
        }
        this.backend = backend;
        this.policy = policy.breaker();
        this.spill = policy.spill();
    }

    /** Puts its end, if it is known, into the time that attempts are measured in. */
    void learnEnd(long now, Instant today) {
        Optional<Instant> end = backend.endsAt();
        departure = end.map(at -> new Departure(
                departure.map(Departure::since).orElse(now),
                now + Duration.between(today, at).toNanos()));
    }

    /** When it will be gone; empty if nobody knows of an end. */
    Optional<Departure> departure() {
        return departure;
    }

    boolean isSameAs(RouteBackend other) {
        RouteBackend own = backend;
        return own.id().equals(other.id())
                && own.tier() == other.tier()
                && own.address().url().equals(other.address().url())
                && own.address().tls().equals(other.address().tls());
    }

    @Override
    public RouteBackend backend() {
        return backend;
    }

    String id() {
        return backend.id();
    }

    Tier tier() {
        return backend.tier();
    }

    boolean isReplica() {
        return backend.tier() != Tier.SERVERLESS;
    }

    /** The tier in a word, for headers and logs. */
    String tierName() {
        return tierName;
    }

    /** What is known of the server behind it. */
    Capabilities capabilities() {
        return capabilities;
    }

    Endpoint endpoint() {
        return endpoint;
    }

    @Override
    public int inFlight() {
        return inFlight.get();
    }

    @Override
    public boolean admits(long now) {
        return breaker.get().admits(now, policy);
    }

    @Override
    public boolean keepsUp(double draw, long now) {
        return inFlight.get() < spill.inFlight() && draw < share(now) && !isSaturated(now);
    }

    private boolean isSaturated(long now) {
        @Nullable Told last = told;
        return last != null && now - last.at < EngineWatch.STALE.toNanos() && last.load.isSaturated();
    }

    /** Whether it may be asked how busy it is. */
    boolean tellsLoad() {
        return tellsLoad;
    }

    /** It has been asked and its server does not know the question. */
    void tellsNoLoad() {
        tellsLoad = false;
    }

    void engineLoad(EngineLoad load, long now) {
        told = new Told(load, now);
    }

    @Override
    public boolean wantsRest(long now) {
        return breaker.get().wantsRest(now);
    }

    @Override
    public long sinceFailure(long now) {
        return breaker.get().sinceFailure(now);
    }

    /** The share of the traffic that it is quick enough for. */
    double share(long now) {
        return Math.min(firstTokens.get().at(now), tokens.get().at(now));
    }

    /** Whether it is left alone for failing, as opposed to for having asked for a rest. */
    boolean isBroken(long now) {
        return breaker.get().phase(now, policy) == BreakerPhase.OPEN;
    }

    /**
     * Takes a place, unless another request took the last one since the choice was made.
     *
     * @param now when the attempt starts
     * @param force whether to send it even if the breaker does not admit it, for want of any other backend
     * @return whether the attempt may be sent; it must then {@linkplain #succeeded end} exactly once
     */
    boolean start(long now, boolean force) {
        int limit = backend.address().maxInFlight();
        int busy = inFlight.get();
        while (limit == 0 || busy < limit) {
            if (inFlight.compareAndSet(busy, busy + 1)) {
                if (passBreaker(now, force)) {
                    attempts.increment();
                    return true;
                }
                inFlight.decrementAndGet();
                return false;
            }
            busy = inFlight.get();
        }
        return false;
    }

    private boolean passBreaker(long now, boolean force) {
        while (true) {
            BreakerState state = breaker.get();
            if (!force && !state.admits(now, policy)) {
                return false;
            }
            BreakerState started = state.started(now, policy);
            if (breaker.replace(state, started)) {
                tellIfNot(state.phase(now, policy), now);
                return true;
            }
        }
    }

    /**
     * A stream's first token has come, or has not come in time.
     *
     * @param startedAt when the attempt was sent
     * @param nanos how long it has taken so far
     * @param now the time
     */
    void firstToken(long startedAt, long nanos, long now) {
        observe(firstTokens, nanos > spill.firstToken().toNanos(), startedAt, now);
    }

    /**
     * A stream has ended well.
     *
     * @param startedAt when the attempt was sent
     * @param nanosPerToken how long each token took on average, after the first
     * @param now the time
     */
    void tokens(long startedAt, long nanosPerToken, long now) {
        observe(tokens, nanosPerToken > spill.betweenTokens().toNanos(), startedAt, now);
    }

    private void observe(Swapped<LatencyShare> share, boolean slow, long startedAt, long now) {
        if (isReplica()) {
            double before = share(now);
            share.update(state -> state.observed(slow, startedAt, now));
            if (share(now) != before) {
                changed.run();
            }
        }
    }

    void succeeded(long startedAt, long now) {
        judge(state -> state.succeeded(startedAt, now, policy), now);
    }

    void failed(BackendFailure failure, long startedAt, long now) {
        failures.increment();
        lastFailure = Optional.of(failure);
        judge(state -> state.failed(failure, isReplica(), startedAt, now, policy), now);
    }

    void overloaded(Duration retryAfter, long startedAt, long now) {
        failures.increment();
        lastFailure = Optional.of(BackendFailure.OVERLOADED);
        judge(state -> state.overloaded(retryAfter, startedAt, now, policy), now);
    }

    private void judge(UnaryOperator<BreakerState> transition, long now) {
        BreakerPhase before = breaker.get().phase(now, policy);
        end(transition);
        tellIfNot(before, now);
    }

    private void tellIfNot(BreakerPhase before, long now) {
        if (breaker.get().phase(now, policy) != before) {
            changed.run();
        }
    }

    /** The attempt ended without telling anything about the backend. */
    void abandoned(long startedAt) {
        end(state -> state.abandoned(startedAt));
    }

    private void end(UnaryOperator<BreakerState> transition) {
        breaker.update(transition);
        inFlight.decrementAndGet();
    }

    BackendLoad load(long now) {
        return new BackendLoad(
                inFlight.get(),
                attempts.sum(),
                failures.sum(),
                !backend.draining() && admits(now),
                breaker.get().phase(now, policy),
                share(now),
                lastFailure);
    }

    @Override
    public String toString() {
        return id();
    }
}
