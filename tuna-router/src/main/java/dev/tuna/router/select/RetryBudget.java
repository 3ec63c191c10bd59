package dev.tuna.router.select;

/**
 * How many attempts may be sent again, over all requests of a route: a token bucket, so that a route whose backends all
 * fail does not cost twice. Immutable.
 *
 * <p>Every request adds a fifth of a token and every second adds {@value #PER_SECOND}; an attempt that is sent again takes
 * one. An attempt that reached no backend (connection refused) cost nothing and should not be counted. The bucket starts
 * full with {@value #CAPACITY}, since a lost replica makes all its requests try again at the same moment and none of them
 * is to fail for it.
 *
 * @param milliTokens thousandths of a token left
 * @param at {@link System#nanoTime()} when that was so
 */
public record RetryBudget(long milliTokens, long at) {

    /** Tokens in a full bucket. */
    public static final int CAPACITY = 1000;

    /** Tokens that a second adds. */
    public static final int PER_SECOND = 10;

    private static final long FULL = CAPACITY * 1000L;
    private static final long PER_REQUEST = 200;
    private static final long RETRY = 1000;
    private static final long NANOS_PER_MILLI_TOKEN = 1_000_000_000L / (PER_SECOND * 1000L);

    /**
     * A full bucket.
     *
     * @param now the time
     * @return the budget of a new route
     */
    public static RetryBudget full(long now) {
        return new RetryBudget(FULL, now);
    }

    /**
     * A request has arrived.
     *
     * @param now the time
     * @return the budget after it
     */
    public RetryBudget requested(long now) {
        RetryBudget refilled = refilled(now);
        return new RetryBudget(Math.min(FULL, refilled.milliTokens + PER_REQUEST), refilled.at);
    }

    /**
     * Whether an attempt may be sent again.
     *
     * @param now the time
     * @return whether a token is left
     */
    public boolean allowsRetry(long now) {
        return refilled(now).milliTokens >= RETRY;
    }

    /**
     * An attempt is sent again.
     *
     * @param now the time
     * @return the budget after it, never below zero
     */
    public RetryBudget retried(long now) {
        RetryBudget refilled = refilled(now);
        return new RetryBudget(Math.max(0, refilled.milliTokens - RETRY), refilled.at);
    }

    /** Time that does not make up a whole thousandth is kept for later, or frequent calls would lose it all. */
    private RetryBudget refilled(long now) {
        long gained = Math.max(0, now - at) / NANOS_PER_MILLI_TOKEN;
        return milliTokens + gained >= FULL
                ? new RetryBudget(FULL, Math.max(at, now))
                : new RetryBudget(milliTokens + gained, at + gained * NANOS_PER_MILLI_TOKEN);
    }
}
