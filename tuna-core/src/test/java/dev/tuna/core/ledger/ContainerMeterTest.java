package dev.tuna.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ContainerMeterTest {

    private static final Instant START = Instant.parse("2026-03-01T00:00:00Z");

    private static Instant second(long second) {
        return START.plusSeconds(second);
    }

    private static ContainerRules rules(int concurrency, int window, int min, int max, int coldStart) {
        return new ContainerRules(concurrency, Duration.ofSeconds(window), min, max, Duration.ofSeconds(coldStart));
    }

    @Test
    void billsABusyIntervalAndTheWindowAfterIt() {
        var rules = rules(32, 60, 0, 1, 0);

        var meter = ContainerMeter.start(rules, START)
                .step(rules, second(100), 1)
                .step(rules, second(130), 0)
                .step(rules, second(1_000), 0);

        assertThat(meter.time()).isEqualTo(Duration.ofSeconds(30 + 60));
        assertThat(meter.running(rules, second(1_000))).isZero();
    }

    @Test
    void billsOneIntervalWhenTheNextRequestComesWithinTheWindow() {
        var rules = rules(32, 60, 0, 1, 5);

        var meter = ContainerMeter.start(rules, START)
                .step(rules, second(0), 1)
                .step(rules, second(10), 0)
                .step(rules, second(50), 1)
                .step(rules, second(60), 0)
                .step(rules, second(500), 0);

        assertThat(meter.time()).isEqualTo(Duration.ofSeconds(60 + 60 + 5));
    }

    @Test
    void billsTheColdStartOfEveryContainer() {
        var rules = rules(10, 0, 0, 8, 20);

        var meter = ContainerMeter.start(rules, START).step(rules, START, 25).step(rules, second(10), 0);

        assertThat(meter.time()).isEqualTo(Duration.ofSeconds(3 * (10 + 20)));
    }

    @Test
    void keepsEachContainerForTheWindowAfterItWasLastNeeded() {
        var rules = rules(1, 10, 0, 9, 0);

        var meter = ContainerMeter.start(rules, START)
                .step(rules, second(0), 3)
                .step(rules, second(4), 1)
                .step(rules, second(6), 0)
                .step(rules, second(100), 0);

        // Three until 14, one more until 16.
        assertThat(meter.time()).isEqualTo(Duration.ofSeconds(3 * 14 + 2));
    }

    @Test
    void billsWorkersThatAreAlwaysOn() {
        var rules = rules(32, 60, 2, 3, 0);

        var meter = ContainerMeter.start(rules, START).step(rules, second(3_600), 0);

        assertThat(meter.time()).isEqualTo(Duration.ofHours(2));
        assertThat(meter.running(rules, second(3_600))).isEqualTo(2);
    }

    @Test
    void neverExceedsTheLimitOfTheEndpointUnlessItIsLifted() {
        var rules = rules(1, 0, 0, 2, 0);

        assertThat(ContainerMeter.start(rules, START)
                        .step(rules, START, 50)
                        .step(rules, second(1), 0)
                        .time())
                .isEqualTo(Duration.ofSeconds(2));
        assertThat(ContainerMeter.start(rules, START)
                        .step(rules.unlimited(), START, 50)
                        .step(rules.unlimited(), second(1), 0)
                        .time())
                .isEqualTo(Duration.ofSeconds(50));
    }

    @Test
    void standsStillWhenTheClockJumpsBack() {
        var rules = rules(1, 0, 0, 1, 0);
        var meter = ContainerMeter.start(rules, second(100)).step(rules, second(200), 1);

        var jumped = meter.step(rules, second(50), 1);

        assertThat(jumped.time()).isZero();
        assertThat(jumped.at()).isEqualTo(second(200));
    }

    @Test
    void agreesWithASimulationSecondBySecond() {
        for (long seed = 0; seed < 300; seed++) {
            var random = new Random(seed);
            var rules = rules(
                    1 + random.nextInt(4),
                    random.nextInt(15),
                    random.nextInt(3),
                    3 + random.nextInt(6),
                    random.nextInt(4));
            int seconds = 300;
            int[] load = new int[seconds];
            var meter = ContainerMeter.start(rules, START);
            int inFlight = 0;
            for (int second = 0; second < seconds; second++) {
                if (random.nextInt(4) == 0) {
                    inFlight = Math.max(0, random.nextInt(-10, 25));
                    meter = meter.step(rules, second(second), inFlight);
                } else if (random.nextInt(4) == 0) {
                    meter = meter.step(rules, second(second), inFlight); // a step more changes nothing
                }
                load[second] = inFlight;
                assertThat(meter.lingering()).as("seed %d", seed).hasSizeLessThanOrEqualTo(rules.workersMax());
            }
            meter = meter.step(rules, second(seconds), 0);

            assertThat(meter.time()).as("seed %d, %s", seed, rules).isEqualTo(simulate(rules, load));
        }
    }

    private static Duration simulate(ContainerRules rules, int[] load) {
        int window = (int) rules.scaledownWindow().toSeconds();
        Duration time = rules.coldStart().multipliedBy(rules.workersMin());
        for (int second = 0; second < load.length; second++) {
            int before = second == 0 ? rules.workersMin() : most(rules, load, second - Math.max(1, window), second - 1);
            int running = most(rules, load, second - window, second);
            time = time.plusSeconds(running).plus(rules.coldStart().multipliedBy(Math.max(0, running - before)));
        }
        return time;
    }

    private static int most(ContainerRules rules, int[] load, int from, int to) {
        return IntStream.rangeClosed(Math.max(0, from), to)
                .map(second -> rules.needed(load[second]))
                .reduce(rules.workersMin(), Math::max);
    }
}
