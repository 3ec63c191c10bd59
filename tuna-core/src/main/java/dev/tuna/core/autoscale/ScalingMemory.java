package dev.tuna.core.autoscale;

import dev.tuna.api.ScalingPolicy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * What the autoscaler remembers between two decisions. Its size is bounded, whatever the traffic.
 *
 * @param target replicas asked for by the last decision
 * @param samples counts of the rate window, oldest first, at most one per twelfth of the window
 * @param up what the traffic has asked for since the last change, as growing looks at it
 * @param down the same as shrinking looks at it
 */
public record ScalingMemory(int target, List<Sample> samples, Asked up, Asked down) {

    /** Requests are counted over this time; that of the original, so that its policies mean the same. */
    public static final Duration RATE_WINDOW = Duration.ofSeconds(60);

    private static final Duration SAMPLE_SPACING = RATE_WINDOW.dividedBy(12);

    /** Copies the list. */
    public ScalingMemory {
        samples = List.copyOf(samples);
        Objects.requireNonNull(up, "up");
        Objects.requireNonNull(down, "down");
    }

    /**
     * Nothing remembered but where to start.
     *
     * @param target replicas to begin with
     * @return the memory
     */
    public static ScalingMemory startingAt(int target) {
        return new ScalingMemory(target, List.of(), Asked.NOTHING, Asked.NOTHING);
    }

    /**
     * How many requests and tokens there had been at a moment.
     *
     * @param at the moment
     * @param requests the count of requests
     * @param tokens the count of generated tokens
     */
    public record Sample(Instant at, long requests, long tokens) {

        /** Checks that the moment is there. */
        public Sample {
            Objects.requireNonNull(at, "at");
        }
    }

    ScalingMemory counted(Instant now, Signals signals) {
        boolean anew = !samples.isEmpty()
                && (signals.requests() < newest().requests() || signals.tokens() < newest().tokens());
        if (anew) {
            return new ScalingMemory(target, List.of(new Sample(now, 0, 0)), up, down);
        }
        // The newest sample that is older than the window stays, as the count with which the window begins.
        int first = 0;
        while (first + 1 < samples.size()
                && !samples.get(first + 1).at().plus(RATE_WINDOW).isAfter(now)) {
            first++;
        }
        boolean due = samples.isEmpty() || !newest().at().plus(SAMPLE_SPACING).isAfter(now);
        if (first == 0 && !due) {
            return this;
        }
        var kept = new ArrayList<>(samples.subList(first, samples.size()));
        if (due) {
            kept.add(new Sample(now, signals.requests(), signals.tokens()));
        }
        return new ScalingMemory(target, kept, up, down);
    }

    private Sample newest() {
        return samples.get(samples.size() - 1);
    }

    ScalingMemory noted(Instant now, int replicas, ScalingPolicy.Spot policy) {
        return new ScalingMemory(
                target,
                samples,
                up.noted(now, replicas, policy.upscaleDelay()),
                down.noted(now, replicas, policy.downscaleDelay()));
    }

    ScalingMemory at(int sameTarget) {
        return sameTarget == target ? this : new ScalingMemory(sameTarget, samples, up, down);
    }

    /** After a change everything that was asked for before has been answered. */
    ScalingMemory movedTo(int newTarget) {
        return new ScalingMemory(newTarget, samples, Asked.NOTHING, Asked.NOTHING);
    }

    /** Requests per second over the window; a window that has just begun counts as a whole one. */
    double requestRate(Signals signals) {
        return perSecond(signals.requests() - samples.get(0).requests());
    }

    /** Tokens per second over the window; likewise. */
    double tokenRate(Signals signals) {
        return perSecond(signals.tokens() - samples.get(0).tokens());
    }

    private static double perSecond(long grown) {
        return grown * 1e9 / RATE_WINDOW.toNanos();
    }
}
