package dev.tuna.testkit.vllm;

import java.time.Duration;

/** How fast tokens come: the first after a fixed time, the others at a fixed rate; no rate means at once. */
record Pace(Duration timeToFirstToken, double tokensPerSecond) {

    long nanosUntil(int token) {
        long gap = tokensPerSecond == 0 ? 0 : (long) (token * 1e9 / tokensPerSecond);
        return timeToFirstToken.toNanos() + gap;
    }
}
