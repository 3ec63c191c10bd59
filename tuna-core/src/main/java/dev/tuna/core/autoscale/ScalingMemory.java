package dev.tuna.core.autoscale;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What the autoscaler remembers between two decisions. Its size is bounded, whatever the traffic.
 *
 * @param target replicas asked for by the last decision
 * @param samples request counts of the rate window, oldest first, at most one per twelfth of the window
 * @param pressure since when the traffic has asked for another number than the target
 */
public record ScalingMemory(int target, List<Sample> samples, Optional<Pressure> pressure) {

    /** Requests are counted over this time; that of the original, so that its policies mean the same. */
    public static final Duration RATE_WINDOW = Duration.ofSeconds(60);

    private static final Duration SAMPLE_SPACING = RATE_WINDOW.dividedBy(12);

    /** Copies the list. */
    public ScalingMemory {
        samples = List.copyOf(samples);
        Objects.requireNonNull(pressure, "pressure");
    }

    /**
     * Nothing remembered but where to start.
     *
     * @param target replicas to begin with
     * @return the memory
     */
    public static ScalingMemory startingAt(int target) {
        return new ScalingMemory(target, List.of(), Optional.empty());
    }

    /**
     * How many requests there had been at a moment.
     *
     * @param at the moment
     * @param requests the count
     */
    public record Sample(Instant at, long requests) {

        /** Checks that the moment is there. */
        public Sample {
            Objects.requireNonNull(at, "at");
        }
    }

    /**
     * The traffic has been asking for more, or for fewer, replicas than the target without a pause.
     *
     * @param up whether for more
     * @param since since when
     * @param mildest the number nearest to the target that it asked for in this time
     */
    public record Pressure(boolean up, Instant since, int mildest) {

        /** Checks that the moment is there. */
        public Pressure {
            Objects.requireNonNull(since, "since");
        }
    }

    ScalingMemory sampled(Instant now, long requests) {
        boolean anew = !samples.isEmpty() && requests < newest().requests();
        var kept = new ArrayList<Sample>();
        if (!anew) {
            // The newest sample that is older than the window stays, as the count with which the window begins.
            int first = 0;
            while (first + 1 < samples.size()
                    && !samples.get(first + 1).at().plus(RATE_WINDOW).isAfter(now)) {
                first++;
            }
            kept.addAll(samples.subList(first, samples.size()));
        }
        if (kept.isEmpty()
                || !kept.get(kept.size() - 1).at().plus(SAMPLE_SPACING).isAfter(now)) {
            kept.add(new Sample(now, anew ? 0 : requests));
        }
        return kept.equals(samples) ? this : new ScalingMemory(target, kept, pressure);
    }

    private Sample newest() {
        return samples.get(samples.size() - 1);
    }

    /** Requests per second over the window; a window that has just begun counts as a whole one. */
    double rate(long requests) {
        long grown = requests - samples.get(0).requests();
        return grown * 1e9 / RATE_WINDOW.toNanos();
    }
}
