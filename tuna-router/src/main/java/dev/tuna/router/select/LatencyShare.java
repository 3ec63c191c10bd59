package dev.tuna.router.select;

import java.time.Duration;

/**
 * Which share of the requests that a replica could take it is to get, by how many of its answers are slow: additive
 * increase, multiplicative decrease. Immutable.
 *
 * <p>A percentile above a limit says the same as a share of answers above it, and is much cheaper to know: the 90th
 * percentile is above the limit if and only if more than a tenth of the answers are. So answers come here as slow or not.
 *
 * <ul>
 *   <li>While more than a tenth of the answers in the window are slow, of at least {@value #ENOUGH}, the share falls by a
 *       fifth, at most every {@link #STEP}. Then the window starts anew, and only attempts that start after that count, so
 *       that a decrease is judged by what followed it and not by what caused it.
 *   <li>Otherwise the share rises by a twentieth every {@link #STEP}, beginning {@link #HOLD} after the last decrease.
 *   <li>It never falls below {@link #FLOOR}, or nobody would notice that the replica has recovered.
 * </ul>
 *
 * <p>The window is the last {@link #HALF_WINDOW} to twice that, or longer if it takes longer to see {@value #ENOUGH}
 * answers; what is older than {@link #FORGET} counts for nothing.
 *
 * <p>Times are {@link System#nanoTime()} readings of one process.
 */
public final class LatencyShare {

    /** Answers that a judgement needs. */
    public static final int ENOUGH = 10;

    /** The least share. */
    public static final double FLOOR = 0.05;

    /** How often the share changes at the most. */
    public static final Duration STEP = Duration.ofSeconds(5);

    /** How long after a decrease nothing rises. */
    public static final Duration HOLD = Duration.ofSeconds(30);

    /** The shortest half of the window. */
    public static final Duration HALF_WINDOW = Duration.ofSeconds(15);

    /** The longest half of the window. */
    public static final Duration FORGET = Duration.ofMinutes(5);

    private static final double DECREASE = 0.8;
    private static final double INCREASE = 0.05;
    private static final int ONE_IN = 10;

    /** Answers seen, and how many of them were slow. */
    private record Seen(int all, int slow) {
        static final Seen NOTHING = new Seen(0, 0);

        Seen and(boolean another) {
            return new Seen(all + 1, slow + (another ? 1 : 0));
        }
    }

    private final double share;
    private final long risesFrom;
    private final long changedAt;
    private final Seen before;
    private final Seen current;
    private final long currentSince;

    private LatencyShare(double share, long risesFrom, long changedAt, Seen before, Seen current, long currentSince) {
        this.share = share;
        this.risesFrom = risesFrom;
        this.changedAt = changedAt;
        this.before = before;
        this.current = current;
        this.currentSince = currentSince;
    }

    /**
     * The share of a replica that nothing is known of: all.
     *
     * @param now the time
     * @return the first state
     */
    public static LatencyShare full(long now) {
        return new LatencyShare(1, now, now - STEP.toNanos(), Seen.NOTHING, Seen.NOTHING, now);
    }

    /**
     * The share now.
     *
     * @param now the time
     * @return {@link #FLOOR} to 1
     */
    public double at(long now) {
        return share == 1 ? 1 : Math.min(1, share + INCREASE * steps(now));
    }

    /**
     * The replica has answered, or has failed to in time.
     *
     * @param slow whether it took longer than the limit
     * @param startedAt when the attempt was sent
     * @param now the time
     * @return the next state
     */
    public LatencyShare observed(boolean slow, long startedAt, long now) {
        if (startedAt - changedAt < 0) {
            return this;
        }
        LatencyShare next = risen(now).moved(now).with(slow);
        return next.isSlow() && next.seen() >= ENOUGH && now - changedAt >= STEP.toNanos() ? next.fallen(now) : next;
    }

    /** The whole steps up that are due. What is slow does not rise, however little has been seen of it. */
    private long steps(long now) {
        return isSlow() && now - currentSince < FORGET.toNanos() ? 0 : Math.max(0, now - risesFrom) / STEP.toNanos();
    }

    /** Takes the steps up that are due; time that passed while it was slow earns none. */
    private LatencyShare risen(long now) {
        if (now - risesFrom < 0) {
            return this;
        }
        long from = isSlow() ? now : risesFrom + steps(now) * STEP.toNanos();
        return new LatencyShare(at(now), from, changedAt, before, current, currentSince);
    }

    private LatencyShare moved(long now) {
        long age = now - currentSince;
        if (age >= FORGET.toNanos()) {
            return new LatencyShare(share, risesFrom, changedAt, Seen.NOTHING, Seen.NOTHING, now);
        }
        return age >= HALF_WINDOW.toNanos() && current.all >= ENOUGH
                ? new LatencyShare(share, risesFrom, changedAt, current, Seen.NOTHING, now)
                : this;
    }

    private LatencyShare with(boolean slow) {
        return new LatencyShare(share, risesFrom, changedAt, before, current.and(slow), currentSince);
    }

    private LatencyShare fallen(long now) {
        return new LatencyShare(
                Math.max(FLOOR, share * DECREASE), now + HOLD.toNanos(), now, Seen.NOTHING, Seen.NOTHING, now);
    }

    private int seen() {
        return before.all + current.all;
    }

    private boolean isSlow() {
        return (before.slow + current.slow) * ONE_IN > seen();
    }

    @Override
    public String toString() {
        return share + " after " + (before.slow + current.slow) + " slow of " + seen();
    }
}
