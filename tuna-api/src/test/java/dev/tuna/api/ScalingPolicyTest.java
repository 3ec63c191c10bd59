package dev.tuna.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class ScalingPolicyTest {

    @Test
    @DisplayName("S-01 to S-05: has the documented defaults")
    void hasTheDocumentedDefaults() {
        assertThat(ScalingPolicy.DEFAULT.spot())
                .isEqualTo(new ScalingPolicy.Spot(
                        0,
                        5,
                        10,
                        OptionalDouble.empty(),
                        Duration.ofSeconds(5),
                        Duration.ofMinutes(5),
                        ScalingPolicy.Spot.KeepLast.WHILE_IT_PAYS,
                        Optional.empty(),
                        ScalingPolicy.Spot.OnDemand.WHEN_CHEAPER));
        assertThat(ScalingPolicy.DEFAULT.serverless())
                .isEqualTo(new ScalingPolicy.Serverless(
                        32, Duration.ofMinutes(1), Duration.ofMinutes(10), 0, OptionalInt.empty(), 4));
    }

    @Test
    @DisplayName("S-01: min above max is refused")
    void minAboveMaxIsRefused() {
        var spot = ScalingPolicy.Spot.builder().minReplicas(6);
        var serverless = ScalingPolicy.Serverless.builder().workersMin(2).workersMax(1);

        assertThatThrownBy(spot::build)
                .hasMessageContaining("spot.min_replicas is '6' but must be at most spot.max_replicas (5)");
        assertThatThrownBy(serverless::build).hasMessageContaining("serverless.workers_max (1)");
    }

    @Test
    @DisplayName("S-08: negative values, NaN and several problems are reported together")
    void wrongValuesAreReportedTogether() {
        var spot = ScalingPolicy.Spot.builder()
                .minReplicas(-1)
                .targetQps(Double.NaN)
                .targetTokensPerSecond(0)
                .upscaleDelay(Duration.ofSeconds(-1))
                .downscaleDelay(Duration.ofSeconds(-1));

        assertThatThrownBy(spot::build)
                .isInstanceOfSatisfying(
                        ConfigurationException.class,
                        error -> assertThat(error.problems()).hasSize(5));
    }
}
