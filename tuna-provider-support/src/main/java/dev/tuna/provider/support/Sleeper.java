package dev.tuna.provider.support;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** How a call waits before its next attempt, so that tests need not. */
@FunctionalInterface
public interface Sleeper {

    /** Blocks the calling thread in real time. */
    Sleeper REAL = wait -> TimeUnit.NANOSECONDS.sleep(wait.toNanos());

    /**
     * Waits.
     *
     * @param wait how long, zero or longer
     * @throws InterruptedException if the thread is interrupted before the time is over
     */
    void sleep(Duration wait) throws InterruptedException;
}
