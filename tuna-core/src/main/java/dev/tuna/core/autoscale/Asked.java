package dev.tuna.core.autoscale;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/**
 * How many replicas the traffic has asked for lately: a number and since when, step by step. Looks back over a delay and a
 * quarter, so that a number which was asked for during one whole delay in all is found in spite of dips and peaks of a
 * quarter of it. Its size is bounded, whatever the traffic: a step is noted 120 times in a delay at the most.
 *
 * @param steps oldest first; each holds until the next
 */
public record Asked(List<Step> steps) {

    /** Nothing noted yet. */
    public static final Asked NOTHING = new Asked(List.of());

    private static final int STEPS_PER_DELAY = 120;

    /** Copies the list. */
    public Asked {
        steps = List.copyOf(steps);
    }

    /**
     * A number that was asked for from a moment on.
     *
     * @param since the moment
     * @param replicas the number
     */
    public record Step(Instant since, int replicas) {

        /** Checks that the moment is there. */
        public Step {
            Objects.requireNonNull(since, "since");
        }
    }

    Asked noted(Instant now, int replicas, Duration delay) {
        if (steps.size() == 1 && newest().replicas() == replicas) {
            return this;
        }
        Instant windowStart = now.minus(window(delay));
        int first = 0;
        while (first + 1 < steps.size() && !steps.get(first + 1).since().isAfter(windowStart)) {
            first++;
        }
        boolean isNew = steps.isEmpty()
                || (newest().replicas() != replicas
                        && !newest().since()
                                .plus(delay.dividedBy(STEPS_PER_DELAY))
                                .isAfter(now));
        if (first == 0 && !isNew) {
            return this;
        }
        var kept = new ArrayList<>(steps.subList(first, steps.size()));
        if (isNew) {
            kept.add(new Step(now, replicas));
        }
        return new Asked(kept);
    }

    private Step newest() {
        return steps.get(steps.size() - 1);
    }

    private static Duration window(Duration delay) {
        return delay.plus(delay.dividedBy(4));
    }

    /** The highest number such that the traffic asked for it or more during the delay in all; 0 if there is none. */
    int atLeast(Duration delay, Instant now) {
        return during(delay, now, Comparator.comparingInt(Held::replicas).reversed(), 0);
    }

    /** The lowest number such that the traffic asked for it or less during the delay in all; the highest int if none. */
    int atMost(Duration delay, Instant now) {
        return during(delay, now, Comparator.comparingInt(Held::replicas), Integer.MAX_VALUE);
    }

    private int during(Duration delay, Instant now, Comparator<Held> order, int none) {
        var held = new ArrayList<Held>();
        Instant from = now.minus(window(delay));
        for (int i = 0; i < steps.size(); i++) {
            Instant start =
                    steps.get(i).since().isBefore(from) ? from : steps.get(i).since();
            Instant end = i + 1 < steps.size() ? steps.get(i + 1).since() : now;
            held.add(new Held(steps.get(i).replicas(), Duration.between(start, end)));
        }
        held.sort(order);
        Duration sum = Duration.ZERO;
        for (Held each : held) {
            sum = sum.plus(each.time());
            if (sum.compareTo(delay) >= 0) {
                return each.replicas();
            }
        }
        return none;
    }

    private record Held(int replicas, Duration time) {}
}
