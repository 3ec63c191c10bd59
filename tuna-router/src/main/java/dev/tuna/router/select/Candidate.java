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

    /**
     * Whether it keeps up: it is quick, and has room to spare, so that the request need not go to a dearer backend.
     *
     * @param draw a number from 0 to 1, evenly spread over the requests: who is to get half of them keeps up with a draw
     *     below a half
     * @param nowNanos the time
     * @return false if another backend had better take the request, should there be one
     */
    boolean keepsUp(double draw, long nowNanos);

    /**
     * Whether it asked to be left alone for a while that has not passed, as opposed to being left alone for its failures.
     *
     * @param nowNanos the time
     * @return whether it rests because it wants to
     */
    boolean wantsRest(long nowNanos);

    /**
     * How hopeful it would be to send an attempt although its breaker says no.
     *
     * @param nowNanos the time
     * @return nanoseconds since it last failed, or more for one that is being probed
     */
    long sinceFailure(long nowNanos);
}
