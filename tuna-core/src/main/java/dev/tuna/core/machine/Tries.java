package dev.tuna.core.machine;

import java.time.Duration;

/**
 * How often something failed in a row, and when it is due again: each failure doubles the wait, up to a minute. Immutable.
 *
 * @param failures in a row
 * @param last when, in nanoseconds of any clock that only goes forward
 */
record Tries(int failures, long last) {

    static final Tries NONE = new Tries(0, 0);

    private static final Duration LONGEST = Duration.ofMinutes(1);
    private static final int MOST_DOUBLINGS = 6; // more would not be longer

    Tries failed(long now) {
        return new Tries(failures + 1, now);
    }

    boolean areDue(long now) {
        return failures == 0 || now - last >= pause().toNanos();
    }

    Duration pause() {
        Duration doubled = Duration.ofSeconds(1L << Math.min(failures - 1, MOST_DOUBLINGS));
        return doubled.compareTo(LONGEST) < 0 ? doubled : LONGEST;
    }
}
