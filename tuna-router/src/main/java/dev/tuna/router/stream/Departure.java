package dev.tuna.router.stream;

import java.time.Duration;
import java.util.OptionalInt;

/**
 * The known end of a backend, or of what it does for one request, and when a stream leaves it. Immutable and pure; times
 * are nanoseconds of one clock.
 *
 * @param since from when on the end was known, or the request was sent
 * @param at when it comes
 */
public record Departure(long since, long at) {

    /** Whether a stream comes to its end in time is an estimate; this share of the time before the end is its margin. */
    private static final int MARGIN = 8;

    /**
     * Whether a stream should go elsewhere now. Streams with little left stay; the others leave one after the other, not all
     * at once, since each of them costs its next backend a prefill.
     *
     * @param now the time
     * @param moveBefore how long before the end streams leave; at most a quarter of the time between knowing and end is used
     * @param turn where in the queue the stream is, from 0 to 1
     * @param begun when the stream began here
     * @param generated tokens it has got here
     * @param left tokens it may still get; empty if nobody knows
     * @return true when its turn has come and it would not be done in time
     */
    public boolean isDue(long now, Duration moveBefore, double turn, long begun, int generated, OptionalInt left) {
        long lead = Math.min(moveBefore.toNanos(), (at - since) / 4);
        long leaves = at - lead + (long) (turn * lead / 2);
        return now - leaves >= 0 && !isDoneBy(at - lead / MARGIN, now, begun, generated, left);
    }

    private static boolean isDoneBy(long end, long now, long begun, int generated, OptionalInt left) {
        if (left.isEmpty() || generated == 0) {
            return false;
        }
        double perToken = (now - begun) / (double) generated;
        return now + (long) (perToken * left.getAsInt()) <= end;
    }
}
