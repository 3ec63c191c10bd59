package dev.tuna.router.breaker;

import dev.tuna.router.BackendFailure;
import dev.tuna.router.BreakerPhase;
import dev.tuna.router.RoutePolicy.Breaker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * One backend's circuit breaker. Immutable: every transition returns the next state, the same object if nothing changes.
 *
 * <p>An attempt is sent only if {@link #admits} says so and after {@link #started} has been applied; it reports its end
 * exactly once, at the end of the stream, by {@link #succeeded}, {@link #failed}, {@link #overloaded} or
 * {@link #abandoned}, naming the moment it started. The end of an attempt that began before the breaker last changed is
 * history and changes nothing.
 *
 * <p>While half open, a probe holds its place until it ends, but no longer than {@link #probePlace}: a probe that never
 * ends cannot keep the breaker half open for ever, and a long stream that ends well still counts when it does.
 *
 * <p>Times are {@link System#nanoTime()} readings of one process.
 */
public final class BreakerState {

    /** The state of a backend that nothing is known of. */
    public static final BreakerState INITIAL =
            new BreakerState(BreakerPhase.CLOSED, 0, false, 0, 0, List.of(), Rest.NONE);

    /** A probe keeps its place at least this long, so that a policy of zero rest still bounds the number of probes. */
    private static final long SHORTEST_PROBE_PLACE = Duration.ofSeconds(1).toNanos();

    private final BreakerPhase phase;
    private final long since;
    private final boolean changed;
    private final int failures;
    private final int successes;
    private final List<Long> probes;
    private final Rest rest;

    private BreakerState(
            BreakerPhase phase,
            long since,
            boolean changed,
            int failures,
            int successes,
            List<Long> probes,
            Rest rest) {
        this.phase = phase;
        this.since = since;
        this.changed = changed;
        this.failures = failures;
        this.successes = successes;
        this.probes = probes;
        this.rest = rest;
    }

    /** A rest the backend asked for. */
    private record Rest(boolean asked, long until) {
        static final Rest NONE = new Rest(false, 0);

        boolean over(long now) {
            return !asked || now - until >= 0;
        }
    }

    /**
     * How the backend is treated now.
     *
     * @param now the time
     * @param policy when breakers open and close
     * @return the phase; an open breaker whose time has passed counts as half open
     */
    public BreakerPhase phase(long now, Breaker policy) {
        if (phase == BreakerPhase.OPEN && openTimePassed(now, policy)) {
            return BreakerPhase.HALF_OPEN;
        }
        return phase == BreakerPhase.CLOSED && !rest.over(now) ? BreakerPhase.COOLING : phase;
    }

    /**
     * Whether an attempt may be sent now.
     *
     * @param now the time
     * @param policy when breakers open and close
     * @return whether to call {@link #started} and send
     */
    public boolean admits(long now, Breaker policy) {
        if (!rest.over(now)) {
            return false;
        }
        return switch (phase) {
            case CLOSED, COOLING -> true;
            case OPEN -> openTimePassed(now, policy);
            case HALF_OPEN -> placesTaken(now, policy).size() < policy.probes();
        };
    }

    /**
     * Whether the backend asked for a rest that has not passed.
     *
     * @param now the time
     * @return whether it rests because it wants to
     */
    public boolean wantsRest(long now) {
        return !rest.over(now);
    }

    /**
     * How long ago it failed so that it is left alone: the longer, the more hopeful.
     *
     * @param now the time
     * @return nanoseconds; {@link Long#MAX_VALUE} if it is being probed, which it has not failed so far
     */
    public long sinceFailure(long now) {
        return phase == BreakerPhase.OPEN ? now - since : Long.MAX_VALUE;
    }

    /**
     * An attempt is sent. To be applied to a state that {@linkplain #admits admits} it, or to any if there is no other
     * backend: then it is a probe before its time.
     *
     * @param now the time, which the attempt must remember
     * @param policy when breakers open and close
     * @return the next state
     */
    public BreakerState started(long now, Breaker policy) {
        return switch (phase) {
            case CLOSED, COOLING -> this;
            case OPEN -> halfOpen(now, 0, List.of(now));
            case HALF_OPEN -> halfOpen(since, successes, with(placesTaken(now, policy), now));
        };
    }

    /**
     * An attempt ended well, or with an answer that proves the backend works, such as a 400.
     *
     * @param startedAt when the attempt was sent
     * @param now the time
     * @param policy when breakers open and close
     * @return the next state
     */
    public BreakerState succeeded(long startedAt, long now, Breaker policy) {
        if (isHistory(startedAt)) {
            return this;
        }
        return switch (phase) {
            case CLOSED, COOLING -> failures == 0 ? this : closed(0);
            case OPEN -> this;
            case HALF_OPEN ->
                successes + 1 >= policy.successes()
                        ? new BreakerState(BreakerPhase.CLOSED, now, true, 0, 0, List.of(), rest)
                        : halfOpen(since, successes + 1, without(probes, startedAt));
        };
    }

    /**
     * An attempt failed through the backend's fault.
     *
     * @param failure how; {@link BackendFailure#OVERLOADED} is no fault and only ends the attempt
     * @param replica whether the backend is a replica, which a refused connection opens at once: nothing listens there,
     *     while a serverless endpoint's front door may merely have dropped one connection
     * @param startedAt when the attempt was sent
     * @param now the time
     * @param policy when breakers open and close
     * @return the next state
     */
    public BreakerState failed(BackendFailure failure, boolean replica, long startedAt, long now, Breaker policy) {
        if (failure == BackendFailure.OVERLOADED) {
            return abandoned(startedAt);
        }
        if (isHistory(startedAt)) {
            return this;
        }
        boolean atOnce = replica && failure == BackendFailure.CONNECT;
        return switch (phase) {
            case CLOSED, COOLING -> atOnce || failures + 1 >= policy.failures() ? open(now) : closed(failures + 1);
            case OPEN -> this;
            case HALF_OPEN -> open(now);
        };
    }

    /**
     * An attempt was answered with "too much" (429, 503 or the like): the backend rests but is not broken.
     *
     * @param retryAfter the rest it asked for; granted up to {@link Breaker#maxCooldown()}
     * @param startedAt when the attempt was sent
     * @param now the time
     * @param policy when breakers open and close
     * @return the next state
     */
    public BreakerState overloaded(Duration retryAfter, long startedAt, long now, Breaker policy) {
        BreakerState ended = abandoned(startedAt);
        Duration granted = retryAfter.compareTo(policy.maxCooldown()) < 0 ? retryAfter : policy.maxCooldown();
        long until = now + Math.max(0, granted.toNanos());
        if (granted.isZero() || granted.isNegative() || (rest.asked() && rest.until() - until >= 0)) {
            return ended;
        }
        return new BreakerState(
                ended.phase,
                ended.since,
                ended.changed,
                ended.failures,
                ended.successes,
                ended.probes,
                new Rest(true, until));
    }

    /**
     * An attempt ended without a verdict, for instance because the client left.
     *
     * @param startedAt when the attempt was sent
     * @return the next state
     */
    public BreakerState abandoned(long startedAt) {
        return phase == BreakerPhase.HALF_OPEN && probes.contains(startedAt)
                ? halfOpen(since, successes, without(probes, startedAt))
                : this;
    }

    /**
     * How long a probe holds its place: as long as the breaker stays open, but at least a second.
     *
     * @param policy when breakers open and close
     * @return the time in nanoseconds
     */
    public static long probePlace(Breaker policy) {
        return Math.max(SHORTEST_PROBE_PLACE, policy.openFor().toNanos());
    }

    private boolean openTimePassed(long now, Breaker policy) {
        return now - since >= policy.openFor().toNanos();
    }

    private boolean isHistory(long startedAt) {
        return changed && startedAt - since < 0;
    }

    private List<Long> placesTaken(long now, Breaker policy) {
        long place = probePlace(policy);
        return probes.stream().filter(start -> now - start < place).toList();
    }

    private BreakerState closed(int failures) {
        return new BreakerState(BreakerPhase.CLOSED, since, changed, failures, 0, List.of(), rest);
    }

    private BreakerState open(long now) {
        return new BreakerState(BreakerPhase.OPEN, now, true, 0, 0, List.of(), rest);
    }

    private BreakerState halfOpen(long since, int successes, List<Long> probes) {
        return new BreakerState(BreakerPhase.HALF_OPEN, since, true, 0, successes, probes, rest);
    }

    private static List<Long> with(List<Long> list, long value) {
        List<Long> copy = new ArrayList<>(list);
        copy.add(value);
        return List.copyOf(copy);
    }

    private static List<Long> without(List<Long> list, long value) {
        List<Long> copy = new ArrayList<>(list);
        copy.remove((Object) value);
        return List.copyOf(copy);
    }

    @Override
    public String toString() {
        return phase
                + (phase == BreakerPhase.HALF_OPEN ? " with " + probes.size() + " probes" : "")
                + (phase == BreakerPhase.CLOSED && failures > 0 ? " after " + failures + " failures" : "");
    }
}
