package dev.tuna.router;

import java.util.Objects;
import java.util.Optional;

/**
 * What one backend has had to do. Immutable.
 *
 * @param inFlight attempts it works on now
 * @param attempts attempts sent to it since it was routed
 * @param failures attempts that failed through its own fault
 * @param available whether the router would send it a request now: not draining, breaker not open, not cooling down
 * @param breaker how its circuit breaker treats it
 * @param share which share of the requests it could take it is offered, for how quickly it answers; 1 for serverless
 *     endpoints, which are where the rest goes
 * @param lastFailure how an attempt failed last, whenever that was; empty if none has
 */
public record BackendLoad(
        int inFlight,
        long attempts,
        long failures,
        boolean available,
        BreakerPhase breaker,
        double share,
        Optional<BackendFailure> lastFailure) {

    /** Nothing yet. */
    public static final BackendLoad NONE = new BackendLoad(0, 0, 0, true, BreakerPhase.CLOSED, 1, Optional.empty());

    /** Checks that every part is there. */
    public BackendLoad {
        Objects.requireNonNull(breaker, "breaker");
        Objects.requireNonNull(lastFailure, "lastFailure");
    }
}
