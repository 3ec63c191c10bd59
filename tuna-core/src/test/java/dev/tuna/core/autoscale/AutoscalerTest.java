package dev.tuna.core.autoscale;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.ScalingPolicy;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AutoscalerTest {

    private static final Duration STEP = Duration.ofSeconds(5);
    private static final ScalingPolicy.Spot POLICY =
            ScalingPolicy.Spot.builder().targetQps(1).build();
    private static final FleetView STEADY = new FleetView(0, Optional.empty());

    private Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private long requests;
    private ScalingMemory memory = ScalingMemory.startingAt(0);
    private FleetView fleet = STEADY;

    private ScalingDecision decide(ScalingPolicy.Spot policy, int inFlight, boolean demand) {
        ScalingDecision decision =
                Autoscaler.decide(policy, 32, new Signals(requests, 0, inFlight, 0, demand), fleet, now, memory);
        memory = decision.memory();
        return decision;
    }

    /** Traffic of a rate for some time; the target at its end. */
    private int after(Duration span, int requestsPerStep) {
        int target = memory.target();
        for (Instant end = now.plus(span); now.isBefore(end); now = now.plus(STEP)) {
            requests += requestsPerStep;
            target = decide(POLICY, 0, false).target();
        }
        return target;
    }

    @Test
    void risesFromZeroAtTheFirstRequest() {
        assertThat(decide(POLICY, 0, false).target()).isZero();
        assertThat(decide(POLICY, 0, true).target()).isEqualTo(1);
    }

    @Test
    void followsTheRateUpToTheMaximum() {
        assertThat(after(Duration.ofMinutes(3), 15)).isEqualTo(3);
        assertThat(after(Duration.ofMinutes(3), 500)).isEqualTo(5);
        assertThat(decide(POLICY, 0, false).wanted()).isGreaterThan(5);
    }

    @Test
    void requestsInFlightAskForReplicasToo() {
        memory = ScalingMemory.startingAt(1);
        decide(POLICY, 100, false);
        now = now.plusSeconds(5);
        assertThat(decide(POLICY, 100, false).target()).isEqualTo(4);
    }

    @Test
    void fallsOnlyAfterTheWholeDelayAndToTheMildestDemandInIt() {
        after(Duration.ofMinutes(3), 15);
        assertThat(after(Duration.ofMinutes(3), 8)).as("three minutes of less").isEqualTo(3);
        assertThat(after(Duration.ofMinutes(4), 3)).isEqualTo(2);
        assertThat(after(Duration.ofMinutes(11), 0)).isZero();
    }

    @Test
    void aPeakLongerThanAQuarterOfTheDelayHoldsTheFleet() {
        after(Duration.ofMinutes(3), 15);
        after(Duration.ofMinutes(4), 5);
        after(Duration.ofMinutes(3), 15);
        assertThat(after(Duration.ofMinutes(4), 5)).isEqualTo(3);
    }

    @Test
    void aShortPeakDoesNotHoldTheFleet() {
        after(Duration.ofMinutes(3), 15);
        after(Duration.ofMinutes(4), 5);
        after(Duration.ofSeconds(10), 15);
        assertThat(after(Duration.ofMinutes(2), 5)).isLessThan(3);
    }

    @Test
    void neverFallsWhileAReplicaBootsNorRightAfterItIsReady() {
        memory = ScalingMemory.startingAt(1);
        fleet = new FleetView(1, Optional.empty());
        assertThat(after(Duration.ofMinutes(30), 0)).isEqualTo(1);
        fleet = new FleetView(0, Optional.of(now));
        assertThat(after(Duration.ofMinutes(4), 0)).isEqualTo(1);
        assertThat(after(Duration.ofMinutes(2), 0)).isZero();
    }

    @Test
    void keepsTheMinimumAndHonoursAMaximumOfZero() {
        var always = POLICY.toBuilder().minReplicas(2).build();
        assertThat(decide(always, 0, false).target()).isEqualTo(2);
        var never = POLICY.toBuilder().maxReplicas(0).build();
        assertThat(decide(never, 500, true).target()).isZero();
    }

    @Test
    void aCountThatBeginsAnewIsNoNegativeRate() {
        after(Duration.ofMinutes(3), 15);
        requests = 0;
        assertThat(after(Duration.ofMinutes(1), 15)).isEqualTo(3);
    }
}
