package dev.tuna.provider.support;

import java.time.Duration;
import java.util.Objects;

/**
 * How often and how patiently a call is tried again.
 *
 * <p>The wait before the n-th repetition is drawn evenly from zero to {@code baseDelay * 2^(n-1)}, at most
 * {@code maxDelay}: exponential back-off with full jitter. A provider's {@code Retry-After} is a lower bound of the wait;
 * one that is longer than {@code maxRetryAfter} is not sat out here but handed to the caller with the exception.
 *
 * @param maxAttempts attempts in all, 1 or more; 1 never repeats
 * @param baseDelay longest wait before the first repetition
 * @param maxDelay longest wait that back-off alone asks for
 * @param maxRetryAfter longest {@code Retry-After} that is waited for
 */
public record RetryPolicy(int maxAttempts, Duration baseDelay, Duration maxDelay, Duration maxRetryAfter) {

    /** Three attempts, waits of up to 250 ms and 500 ms, {@code Retry-After} up to 10 s: calls stay a matter of seconds. */
    public static final RetryPolicy DEFAULT =
            new RetryPolicy(3, Duration.ofMillis(250), Duration.ofSeconds(5), Duration.ofSeconds(10));

    /** One attempt. */
    public static final RetryPolicy NONE = new RetryPolicy(1, Duration.ZERO, Duration.ZERO, Duration.ZERO);

    private static final int MAX_DOUBLINGS = 30;

    /** Checks ranges. */
    public RetryPolicy {
        if (maxAttempts < 1) {
            throw new IllegalArgumentException("maxAttempts is " + maxAttempts + " but must be 1 or more");
        }
        notNegative("baseDelay", baseDelay);
        notNegative("maxDelay", maxDelay);
        notNegative("maxRetryAfter", maxRetryAfter);
    }

    /**
     * The wait before a repetition.
     *
     * @param repetition 1 for the first
     * @param random drawn evenly from 0 (inclusive) to 1 (exclusive)
     */
    Duration backOff(int repetition, double random) {
        double base = baseDelay.toNanos() * Math.pow(2, Math.min(repetition - 1, MAX_DOUBLINGS));
        return Duration.ofNanos((long) (random * Math.min(base, (double) maxDelay.toNanos())));
    }

    private static void notNegative(String name, Duration value) {
        if (Objects.requireNonNull(value, name).isNegative()) {
            throw new IllegalArgumentException(name + " is " + value + " but must be zero or longer");
        }
    }
}
