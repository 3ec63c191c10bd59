package dev.tuna.core.control;

import java.time.Duration;
import java.time.Instant;

/**
 * When something that failed may be tried again.
 *
 * @param failures how often it failed in a row
 * @param notBefore earliest next try, in steady time
 */
record Retry(int failures, Instant notBefore) {

    /** Nothing failed. */
    static final Retry NONE = new Retry(0, Instant.MIN);

    /** Due at once, and not for the first time: what an earlier process tried may have been done. */
    static final Retry AGAIN = new Retry(1, Instant.MIN);

    boolean isDue(Instant now) {
        return !notBefore.isAfter(now);
    }

    Retry failed(Instant now, Duration base, Duration longest) {
        Duration pause = base.multipliedBy(1L << Math.min(failures, 20));
        return new Retry(failures + 1, now.plus(pause.compareTo(longest) > 0 ? longest : pause));
    }

    Retry pausedUntil(Instant moment) {
        return new Retry(failures, moment);
    }
}
