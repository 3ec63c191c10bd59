package dev.tuna.examples;

import java.time.Duration;

/** Waiting for something to become true. */
final class Patience {

    private static final long LOOK_EVERY_MILLIS = 50;

    private Patience() {}

    /** A question whose answer may change. */
    interface Condition {
        boolean holds() throws Exception;
    }

    /**
     * Waits.
     *
     * @param what what is waited for, for the error
     * @param atMost how long
     * @param condition asked again and again
     * @throws IllegalStateException if it does not become true in time
     */
    static void await(String what, Duration atMost, Condition condition) throws Exception {
        long deadline = System.nanoTime() + atMost.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("gave up after " + atMost.toSeconds() + " s waiting for " + what);
            }
            Thread.sleep(LOOK_EVERY_MILLIS);
        }
    }
}
