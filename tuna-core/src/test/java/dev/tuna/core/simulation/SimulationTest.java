package dev.tuna.core.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Worlds made of seeds, held against {@link Invariants}. A seed that fails says how it is replayed. */
class SimulationTest {

    private static final String SEED = "tuna.simulation.seed";
    private static final String SEEDS = "tuna.simulation.seeds";
    private static final String DAYS = "tuna.simulation.days";
    private static final int ALL = 1000;
    /** Some 1.4 deployments live at a time. */
    private static final int DAYS_EACH = 8;

    private static final int SHOWN = 300;
    private static final int TOLD_EVERY = 100;

    @Test
    void aFewSeedsOfOneDay() {
        hold(LongStream.rangeClosed(1, 4), 1);
    }

    @Test
    void theSameSeedTellsTheSameStory() {
        for (long seed : new long[] {3, 8}) {
            assertThat(Run.of(seed, Duration.ofDays(1), 0).hash())
                    .isEqualTo(Run.of(seed, Duration.ofDays(1), 0).hash());
        }
        assertThat(Run.of(3, Duration.ofDays(1), 0).hash())
                .isNotEqualTo(Run.of(4, Duration.ofDays(1), 0).hash());
    }

    /** As many as the machine has time for: {@code -Dtuna.simulation.seeds=} and {@code -Dtuna.simulation.days=}. */
    @Test
    @Tag("full")
    void aThousandSeedsAndTenThousandDeploymentDays() {
        long seeds = Long.getLong(SEEDS, ALL);
        int days = Integer.getInteger(DAYS, DAYS_EACH);
        long from = Long.getLong(SEED, 1);
        Totals totals = hold(LongStream.range(from, from + seeds), days);
        if (seeds >= ALL && days >= DAYS_EACH) {
            assertThat(totals.deploymentDays).isGreaterThan(10_000);
        }
    }

    @Test
    @EnabledIfSystemProperty(named = SEED, matches = "\\d+")
    void replay() {
        Run.Outcome outcome =
                Run.of(Long.getLong(SEED), Duration.ofDays(Integer.getInteger(DAYS, 1)), Integer.MAX_VALUE);
        outcome.trace().forEach(System.out::println);
        assertThat(outcome.violations()).isEmpty();
    }

    /** What a number of seeds came to, told while it grows: a long run is looked at before it is over. Thread-safe. */
    private static final class Totals {
        private final long start = System.nanoTime();
        private int seeds;
        private double deploymentDays;
        private long steps;
        private long faults;
        private long launches;
        private final List<Run.Outcome> failed = new ArrayList<>();

        synchronized void add(Run.Outcome outcome) {
            seeds++;
            deploymentDays += outcome.deploymentDays();
            steps += outcome.steps();
            faults += outcome.faults();
            launches += outcome.launches();
            if (!outcome.violations().isEmpty()) {
                failed.add(outcome);
                System.out.println("seed " + outcome.seed() + ": " + outcome.violations());
            }
            if (seeds % TOLD_EVERY == 0) {
                tell();
            }
        }

        synchronized void tell() {
            System.out.printf(
                    Locale.ROOT,
                    "%d seeds, %d failed, %.0f deployment-days, %d steps, %d faults, %d launches, %.1f s%n",
                    seeds,
                    failed.size(),
                    deploymentDays,
                    steps,
                    faults,
                    launches,
                    (System.nanoTime() - start) / 1e9);
        }
    }

    private static Totals hold(LongStream seeds, int days) {
        var totals = new Totals();
        seeds.parallel()
                .mapToObj(seed -> Run.of(seed, Duration.ofDays(days), SHOWN))
                .forEach(totals::add);
        totals.tell();
        if (!totals.failed.isEmpty()) {
            Run.Outcome first = Collections.min(totals.failed, Comparator.comparingLong(Run.Outcome::seed));
            fail(
                    "seed %d of %d days: %s%n%s%nreplay: mvn test -pl tuna-core -am -Dtest='SimulationTest#replay'"
                            + " -Dsurefire.failIfNoSpecifiedTests=false -D%s=%d -D%s=%d",
                    first.seed(),
                    days,
                    first.violations(),
                    String.join("\n", first.trace()),
                    SEED,
                    first.seed(),
                    DAYS,
                    days);
        }
        return totals;
    }
}
