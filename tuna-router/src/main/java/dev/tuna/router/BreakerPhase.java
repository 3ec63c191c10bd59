package dev.tuna.router;

/** How a backend's circuit breaker treats it. */
public enum BreakerPhase {
    /** Trusted. */
    CLOSED,
    /** Trusted, but it asked for a rest, which has not passed. */
    COOLING,
    /** Left alone. */
    OPEN,
    /** Tried with a few requests at a time. */
    HALF_OPEN
}
