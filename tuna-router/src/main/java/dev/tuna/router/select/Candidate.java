package dev.tuna.router.select;

import dev.tuna.router.RouteBackend;

/** A backend at the moment of a choice. Implemented by whatever counts its requests, so that choosing copies nothing. */
public interface Candidate {

    /**
     * The backend.
     *
     * @return its id, address and whether it drains
     */
    RouteBackend backend();

    /**
     * Attempts that it works on.
     *
     * @return zero or more
     */
    int inFlight();

    /**
     * Whether its breaker lets an attempt through.
     *
     * @param nowNanos the time
     * @return whether an attempt may be sent
     */
    boolean admits(long nowNanos);
}
