package dev.tuna.testkit.crash;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for conditions, within generous limits. */
public final class Patience {

    /** Many times what a case takes, even where ten others want the same two cores. */
    public static final Duration LIMIT = Duration.ofMinutes(3);

    private static final Duration PAUSE = Duration.ofMillis(15);

    private Patience() {}

    /**
     * Waits.
     *
     * @param what for the message, if it does not come to pass
     * @param condition what is waited for
     * @throws AssertionError if it has not come to pass within {@link #LIMIT}
     */
    public static void until(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within " + LIMIT.toSeconds() + " s: " + what);
            }
            LockSupport.parkNanos(PAUSE.toNanos());
        }
    }
}
