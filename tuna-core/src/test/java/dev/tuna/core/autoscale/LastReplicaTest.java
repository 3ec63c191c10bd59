package dev.tuna.core.autoscale;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** When the last replica is begun, kept and given up. */
class LastReplicaTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final Duration DELAY = Duration.ofMinutes(5);
    private static final Duration STEP = Duration.ofSeconds(5);
    private static final Duration COLD_START = Duration.ofSeconds(60);

    /** A deployment on the way, with a container that is up for a part of each minute. */
    private static final class Course {
        private final double ratio;
        private final Optional<Duration> firstToken;
        LastReplica last = LastReplica.begin(START, DELAY);
        Instant now = START;
        Duration containerTime = Duration.ZERO;
        long requests;

        Course(double ratio, Optional<Duration> firstToken) {
            this.ratio = ratio;
            this.firstToken = firstToken;
        }

        void step(boolean up, int came) {
            now = now.plus(STEP);
            containerTime = up ? containerTime.plus(STEP) : containerTime;
            requests += came;
            last = last.step(
                    new LastReplica.Sight(
                            DELAY,
                            OptionalDouble.of(ratio),
                            containerTime,
                            up,
                            requests,
                            COLD_START,
                            firstToken,
                            false),
                    now);
        }

        /** Passes some time in which a request keeps a container up for a minute of every so many. */
        void oneMinuteOf(int minutes, Duration span) {
            for (long second = 0; second < span.toSeconds(); second += 5) {
                boolean up = second / 60 % minutes == 0;
                step(up, second % (60L * minutes) == 0 ? 1 : 0);
            }
        }
    }

    private static Course course(double ratio) {
        return new Course(ratio, Optional.empty());
    }

    @Test
    @DisplayName("B-15: a replica pays from the share of time on that prices say")
    void trafficThatFillsMoreThanThePricesRatioKeepsAReplicaAndLessDoesNot() {
        Course enough = course(3);
        enough.oneMinuteOf(2, Duration.ofHours(5));
        assertThat(enough.last.wanted(1)).isTrue();

        Course tooLittle = course(3);
        tooLittle.oneMinuteOf(10, Duration.ofHours(5));
        assertThat(tooLittle.last.wanted(1)).isFalse();
    }

    @Test
    void anIdleReplicaIsKeptForTheDelay() {
        Course idle = course(3);
        idle.oneMinuteOf(1000, DELAY);
        assertThat(idle.last.wanted(1)).as("one minute of use").isTrue();
        idle.oneMinuteOf(1, Duration.ZERO);
        for (int i = 0; i < 60; i++) {
            idle.step(false, 0);
        }
        assertThat(idle.last.wanted(1)).isFalse();
    }

    @Test
    void oneIsBegunWhenContainersHaveCostAsMuchAsItWould() {
        Course course = course(3);
        for (int i = 0; i < 200; i++) {
            course.step(false, 0);
        }
        assertThat(course.last.pays()).isFalse();
        int steps = 0;
        while (!course.last.pays()) {
            course.step(true, 1);
            steps++;
        }
        // Worth three times the time, less the time itself: five minutes' worth in two and a half, and the first step,
        // which
        // wakes a memory that has rested, counts for nothing.
        assertThat(STEP.multipliedBy(steps)).isEqualTo(Duration.ofSeconds(150).plus(STEP));
    }

    @Test
    void aContainerThatIsCheaperThanAReplicaNeverMakesOnePay() {
        Course course = course(0.9);
        course.oneMinuteOf(1, Duration.ofHours(2));
        assertThat(course.last.pays()).isFalse();
    }

    @Test
    void whereColdStartsMissTheLimitOfTooManyRequestsItIsKeptAlthoughItDoesNotPay() {
        Course limited = new Course(3, Optional.of(Duration.ofSeconds(10)));
        limited.oneMinuteOf(10, Duration.ofHours(5));
        assertThat(limited.last.pays()).isFalse();
        assertThat(limited.last.wanted(0)).isTrue();

        Course patient = new Course(3, Optional.of(Duration.ofMinutes(2)));
        patient.oneMinuteOf(10, Duration.ofHours(5));
        assertThat(patient.last.wanted(1)).as("a cold start keeps this limit").isFalse();
    }

    @Test
    void aDeploymentThatNobodyUsesAnyMoreIsNotKeptForItsFirstTokens() {
        Course limited = new Course(3, Optional.of(Duration.ofSeconds(10)));
        limited.oneMinuteOf(10, Duration.ofHours(5));
        for (int i = 0; i < 17_280 * 12; i++) {
            limited.step(false, 0);
        }
        assertThat(limited.last.wanted(0)).isFalse();
    }

    @Test
    void whateverTheTrafficWorthStaysWithinItsBounds() {
        long first = new Random().nextLong();
        for (long seed = first; seed < first + 50; seed++) {
            var random = new Random(seed);
            Course course = new Course(random.nextDouble() * 5, Optional.of(Duration.ofSeconds(10)));
            for (int i = 0; i < 500; i++) {
                course.step(random.nextInt(3) > 0, random.nextInt(4));
                assertThat(course.last.worth()).as("seed " + seed).isBetween(Duration.ZERO, DELAY);
                assertThat(course.last.cold()).as("seed " + seed).isBetween(0.0, course.last.seen());
                assertThat(course.last.containers()).as("seed " + seed).isBetween(0.0, 1.0);
            }
        }
    }
}
