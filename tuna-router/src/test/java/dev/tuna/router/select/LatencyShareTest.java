package dev.tuna.router.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** traffic leaves a slow replica step by step and comes back step by step. */
class LatencyShareTest {

    private static final long SECOND = 1_000_000_000L;
    private static final long STEP = LatencyShare.STEP.toNanos();
    private static final long HOLD = LatencyShare.HOLD.toNanos();

    private long now = -3 * SECOND; // nanoTime may be negative
    private LatencyShare share = LatencyShare.full(now);

    @Test
    @DisplayName("R-32 more than a tenth of slow answers takes a fifth of the share away, once a step")
    void fallsByAFifth() {
        answers(LatencyShare.ENOUGH - 1, true);
        assertThat(share.at(now)).as("too few to judge").isEqualTo(1);
        answers(1, true);
        assertThat(share.at(now)).isEqualTo(0.8);

        now += STEP - 1;
        answers(100, true);
        assertThat(share.at(now)).as("not twice in a step").isEqualTo(0.8);
        now += 1;
        answers(1, true);
        assertThat(share.at(now)).isEqualTo(0.64, within(1e-9));
    }

    @Test
    @DisplayName("R-32 the limit is on the 90th percentile: a tenth of slow answers is no reason to leave")
    void aTenthIsNoReason() {
        for (int i = 0; i < 1000; i++) {
            answers(1, i % 10 == 9);
            now += SECOND / 20;
        }
        assertThat(share.at(now)).isEqualTo(1);
    }

    @Test
    @DisplayName("attempts from before a decrease are what caused it, and are not held against what followed")
    void oldAttemptsAreHistory() {
        long before = now - 1;
        answers(LatencyShare.ENOUGH, true);
        now += STEP;
        for (int i = 0; i < 100; i++) {
            share = share.observed(true, before, now);
        }
        assertThat(share.at(now)).isEqualTo(0.8);
    }

    @Test
    @DisplayName("R-32 it rises by a twentieth a step once a while has passed, traffic or not")
    void risesStepByStep() {
        answers(LatencyShare.ENOUGH, true);
        assertThat(share.at(now + HOLD + STEP - 1)).isEqualTo(0.8);
        assertThat(share.at(now + HOLD + STEP)).isEqualTo(0.85, within(1e-9));
        assertThat(share.at(now + HOLD + 3 * STEP)).isEqualTo(0.95, within(1e-9));
        assertThat(share.at(now + HOLD + 100 * STEP)).isEqualTo(1);
    }

    @Test
    @DisplayName("what is still slow does not rise, however little is seen of it")
    void doesNotRiseWhileSlow() {
        answers(LatencyShare.ENOUGH, true);
        now += HOLD + STEP;
        answers(3, true);
        now += 10 * STEP;
        assertThat(share.at(now)).isEqualTo(0.85, within(1e-9));
        assertThat(share.at(now + LatencyShare.FORGET.toNanos()))
                .as("until nobody remembers")
                .isEqualTo(1);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    @DisplayName("R-32 for any latencies: in bounds, no leap, no flapping, and back to all once it is quick")
    void promises(long seed) {
        Random random = new Random(seed);
        double limit = 1;
        double level = 0.5;
        long lastFall = Long.MIN_VALUE;
        for (int i = 0; i < 20_000; i++) {
            String where = "seed " + seed + " answer " + i + " " + share;
            if (random.nextInt(400) == 0) {
                level = random.nextDouble() * 2;
            }
            long passed = (long) (random.nextDouble() * (random.nextInt(50) == 0 ? 60 * SECOND : SECOND));
            double before = share.at(now);
            now += passed;
            double risen = share.at(now);
            assertThat(risen)
                    .as(where)
                    .isBetween(before, Math.min(1, before + 0.05 * (passed / (double) STEP + 1)) + 1e-9);
            if (risen > before) {
                assertThat(lastFall == Long.MIN_VALUE || now - lastFall >= HOLD + STEP)
                        .as("%s: rises no sooner than %s after it fell", where, LatencyShare.HOLD)
                        .isTrue();
            }
            share = share.observed(level * (0.5 + random.nextDouble()) > limit, now, now);
            double after = share.at(now);
            assertThat(after).as(where).isBetween(LatencyShare.FLOOR, 1.0);
            assertThat(after).as(where).isGreaterThanOrEqualTo(Math.max(LatencyShare.FLOOR, risen * 0.8) - 1e-9);
            if (after < risen) {
                assertThat(lastFall == Long.MIN_VALUE || now - lastFall >= STEP)
                        .as("%s: falls once a step", where)
                        .isTrue();
                lastFall = now;
            }
        }
        recovers(seed);
    }

    private void recovers(long seed) {
        long most = Duration.ofMinutes(5).toNanos();
        long end = now + most;
        while (now < end) {
            now += SECOND / 2;
            answers(1, false);
        }
        assertThat(share.at(now)).as("seed " + seed + " " + share).isEqualTo(1);
    }

    private void answers(int count, boolean slow) {
        for (int i = 0; i < count; i++) {
            share = share.observed(slow, now, now);
        }
    }
}
