package dev.tuna.core.autoscale;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.ScalingPolicy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What holds of every decision, on random traffic; a failure names the seed that repeats it. */
class AutoscalerPropertyTest {

    private static final int ROUNDS = 50;
    private static final int PER_REPLICA = 10;
    private static final FleetView CALM = new FleetView(0, Optional.empty());

    /** A fleet that is decided about every so often. */
    private static final class Run {
        final ScalingPolicy.Spot policy;
        Instant now = Instant.parse("2026-01-01T00:00:00Z");
        ScalingMemory memory;
        FleetView fleet = CALM;
        final List<Instant> changes = new ArrayList<>();

        Run(ScalingPolicy.Spot policy, int target) {
            this.policy = policy;
            memory = ScalingMemory.startingAt(target);
        }

        int decide(int inFlight) {
            int before = memory.target();
            memory = Autoscaler.decide(policy, PER_REPLICA, load(inFlight), fleet, now, memory)
                    .memory();
            if (memory.target() != before) {
                changes.add(now);
            }
            return memory.target();
        }

        void pass(Duration span) {
            now = now.plus(span);
        }
    }

    private static Signals load(int inFlight) {
        return new Signals(0, 0, inFlight, 0, false);
    }

    private static ScalingPolicy.Spot policy(Random random) {
        int min = random.nextInt(3);
        return ScalingPolicy.Spot.builder()
                .minReplicas(min)
                .maxReplicas(min + random.nextInt(8))
                .upscaleDelay(Duration.ofSeconds(random.nextInt(300)))
                .downscaleDelay(Duration.ofSeconds(random.nextInt(900)))
                .build();
    }

    private static Duration tick(Random random) {
        return Duration.ofMillis(200 + random.nextInt(8000));
    }

    private interface Property {
        void holds(Random random);
    }

    private static void forRandomTraffic(Property property) {
        long first = new Random().nextLong();
        for (long seed = first; seed < first + ROUNDS; seed++) {
            try {
                property.holds(new Random(seed));
            } catch (AssertionError e) {
                throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
            }
        }
    }

    @Test
    void theTargetIsAlwaysWithinItsLimitsAndTheMemoryBounded() {
        forRandomTraffic(random -> {
            var run = new Run(policy(random), 1);
            for (int i = 0; i < 500; i++) {
                assertThat(run.decide(random.nextInt(100)))
                        .isBetween(run.policy.minReplicas(), run.policy.maxReplicas());
                assertThat(run.memory.up().steps()).hasSizeLessThanOrEqualTo(152);
                assertThat(run.memory.down().steps()).hasSizeLessThanOrEqualTo(152);
                run.pass(tick(random));
            }
        });
    }

    @Test
    void moreTrafficNeverMeansFewerReplicas() {
        forRandomTraffic(random -> {
            var run = new Run(policy(random), random.nextInt(5));
            for (int i = 0; i < 200; i++) {
                int some = random.nextInt(100);
                int more = some + random.nextInt(50);
                ScalingDecision less =
                        Autoscaler.decide(run.policy, PER_REPLICA, load(some), run.fleet, run.now, run.memory);
                ScalingDecision other =
                        Autoscaler.decide(run.policy, PER_REPLICA, load(more), run.fleet, run.now, run.memory);
                assertThat(other.target()).isGreaterThanOrEqualTo(less.target());
                run.decide(some);
                run.pass(tick(random));
            }
        });
    }

    @Test
    void constantLoadEndsAtWhatItAsksForAndStaysThere() {
        forRandomTraffic(random -> {
            ScalingPolicy.Spot policy = policy(random);
            var run = new Run(policy, random.nextInt(9));
            for (int i = 0; i < 100; i++) {
                run.decide(random.nextInt(100));
                run.pass(tick(random));
            }
            int inFlight = random.nextInt(100);
            Instant settled = run.now
                    .plus(policy.upscaleDelay().plus(policy.downscaleDelay()).multipliedBy(2))
                    .plusSeconds(30);
            while (run.now.isBefore(settled)) {
                run.decide(inFlight);
                run.pass(tick(random));
            }
            int asked = (inFlight + PER_REPLICA - 1) / PER_REPLICA;
            int changes = run.changes.size();
            for (int i = 0; i < 100; i++) {
                assertThat(run.decide(inFlight))
                        .isEqualTo(Math.min(policy.maxReplicas(), Math.max(policy.minReplicas(), asked)));
                run.pass(tick(random));
            }
            assertThat(run.changes).hasSize(changes);
        });
    }

    @Test
    void whateverTheTrafficDoesThereIsAtMostOneChangePerDelay() {
        forRandomTraffic(random -> {
            ScalingPolicy.Spot policy =
                    policy(random).toBuilder().minReplicas(1).maxReplicas(9).build();
            var run = new Run(policy, 1);
            for (int i = 0; i < 1000; i++) {
                run.decide(random.nextBoolean() ? 15 + random.nextInt(20) : random.nextInt(100));
                run.pass(tick(random));
            }
            Duration shorter = policy.upscaleDelay().compareTo(policy.downscaleDelay()) < 0
                    ? policy.upscaleDelay()
                    : policy.downscaleDelay();
            for (int i = 1; i < run.changes.size(); i++) {
                assertThat(Duration.between(run.changes.get(i - 1), run.changes.get(i)))
                        .isGreaterThanOrEqualTo(shorter);
            }
        });
    }

    @Test
    void jitterAroundAThresholdChangesNothing() {
        forRandomTraffic(random -> {
            ScalingPolicy.Spot policy = ScalingPolicy.Spot.builder()
                    .upscaleDelay(Duration.ofMinutes(2))
                    .downscaleDelay(Duration.ofMinutes(5))
                    .build();
            var run = new Run(policy, 1);
            for (int i = 0; i < 2000; i++) {
                run.decide(i % 2 == 0 ? PER_REPLICA : PER_REPLICA + 1);
                run.pass(Duration.ofSeconds(5));
            }
            assertThat(run.changes).isEmpty();
        });
    }

    @Test
    @DisplayName("a dip of one sample in ten does not keep a fleet from growing, nor a peak from shrinking")
    void shortDipsAndPeaksDoNotBlock() {
        forRandomTraffic(random -> {
            ScalingPolicy.Spot policy = ScalingPolicy.Spot.builder()
                    .upscaleDelay(Duration.ofMinutes(5))
                    .downscaleDelay(Duration.ofMinutes(5))
                    .build();
            boolean grows = random.nextBoolean();
            var run = new Run(policy, 2);
            int odd = random.nextInt(10);
            for (int i = 0; i < 75; i++) {
                run.decide(i % 10 == odd ? 15 : grows ? 35 : 5);
                run.pass(Duration.ofSeconds(5));
            }
            assertThat(run.memory.target()).isEqualTo(grows ? 4 : 1);
        });
    }

    @Test
    void growsAfterTheDelayAndFromZeroAtOnce() {
        forRandomTraffic(random -> {
            Duration delay = Duration.ofSeconds(1 + random.nextInt(600));
            ScalingPolicy.Spot policy =
                    ScalingPolicy.Spot.builder().upscaleDelay(delay).build();
            var run = new Run(policy, 0);
            assertThat(run.decide(5)).isEqualTo(1);
            run.decide(5);
            run.pass(Duration.ofSeconds(random.nextInt(2000)));
            Instant rise = run.now;
            while (run.decide(45) == 1) {
                run.pass(Duration.ofMillis(500));
            }
            assertThat(run.memory.target()).isEqualTo(5);
            assertThat(Duration.between(rise, run.now))
                    .isBetween(delay, delay.plus(delay.dividedBy(120)).plusMillis(1000));
        });
    }

    @Test
    void neverFallsWhileAReplicaBoots() {
        forRandomTraffic(random -> {
            var run = new Run(policy(random), 5);
            int least = run.decide(0);
            for (int i = 0; i < 500; i++) {
                run.fleet = new FleetView(1 + random.nextInt(3), Optional.empty());
                int target = run.decide(random.nextInt(3) == 0 ? random.nextInt(100) : 0);
                assertThat(target).isGreaterThanOrEqualTo(least);
                least = target;
                run.pass(tick(random));
            }
        });
    }

    @Test
    void tokensAskForReplicasIfTheyHaveATarget() {
        ScalingPolicy.Spot blind = ScalingPolicy.Spot.builder().build();
        ScalingPolicy.Spot seeing = blind.toBuilder().targetTokensPerSecond(500).build();
        for (ScalingPolicy.Spot policy : List.of(blind, seeing)) {
            var memory = ScalingMemory.startingAt(1);
            var now = Instant.parse("2026-01-01T00:00:00Z");
            for (int second = 0; second < 120; second++) {
                memory = Autoscaler.decide(
                                policy,
                                PER_REPLICA,
                                new Signals(second, 1600L * second, 5, 0, false),
                                CALM,
                                now.plusSeconds(second),
                                memory)
                        .memory();
            }
            assertThat(memory.target()).isEqualTo(policy.equals(seeing) ? 4 : 1);
        }
    }
}
