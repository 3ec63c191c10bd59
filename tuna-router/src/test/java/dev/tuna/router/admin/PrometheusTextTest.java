package dev.tuna.router.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MockClock;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PrometheusTextTest {

    private final Clock clock = new MockClock();
    private final MeterRegistry registry = new SimpleMeterRegistry(SimpleConfig.DEFAULT, clock);

    @Test
    void anEmptyRegistryIsAnEmptyPage() {
        assertThat(PrometheusText.of(registry)).isEmpty();
    }

    @Test
    void countersEndInTotalAndShareOneType() {
        counter("tuna.router.requests", "outcome", "succeeded").increment(3);
        counter("tuna.router.requests", "outcome", "failed").increment(0.5);
        FunctionCounter.builder("calls.total", 7L, Long::doubleValue).register(registry);

        assertThat(PrometheusText.of(registry).lines())
                .containsSubsequence("# TYPE calls_total counter", "calls_total 7")
                .containsSubsequence(
                        "# HELP tuna_router_requests_total how many", "# TYPE tuna_router_requests_total counter")
                .containsOnlyOnce("# TYPE tuna_router_requests_total counter")
                .contains(
                        "tuna_router_requests_total{outcome=\"succeeded\"} 3",
                        "tuna_router_requests_total{outcome=\"failed\"} 0.5");
    }

    @Test
    void textIsEscaped() {
        Gauge.builder("g", () -> 1)
                .description("back\\slash\nline")
                .tag("odd-key.1", "a\"b\\c\nd")
                .register(registry);

        assertThat(PrometheusText.of(registry))
                .isEqualTo("# HELP g back\\\\slash\\nline\n# TYPE g gauge\ng{odd_key_1=\"a\\\"b\\\\c\\nd\"} 1\n");
    }

    @Test
    void valuesThatAreNoNumbersAreWrittenAsPrometheusWritesThem() {
        Gauge.builder("a", () -> Double.NaN).register(registry);
        Gauge.builder("b", () -> Double.POSITIVE_INFINITY).register(registry);
        Gauge.builder("c", () -> Double.NEGATIVE_INFINITY).register(registry);
        Gauge.builder("d", () -> -1.5e-9).baseUnit("bytes").register(registry);
        Gauge.builder("e", () -> 1e18).register(registry);

        assertThat(PrometheusText.of(registry).lines())
                .contains("a NaN", "b +Inf", "c -Inf", "d_bytes -1.5E-9", "e 1.0E18");
    }

    @Test
    void aTimerIsASummaryInSeconds() {
        Timer timer = Timer.builder("first.token").register(registry);
        timer.record(1500, TimeUnit.MILLISECONDS);
        timer.record(500, TimeUnit.MILLISECONDS);

        assertThat(PrometheusText.of(registry)).isEqualTo("""
                        # TYPE first_token_seconds summary
                        first_token_seconds_sum 2
                        first_token_seconds_count 2
                        # TYPE first_token_seconds_max gauge
                        first_token_seconds_max 1.5
                        """);
    }

    @Test
    void aTimerWithBucketsIsAHistogram() {
        Timer timer = Timer.builder("t")
                .serviceLevelObjectives(Duration.ofMillis(100), Duration.ofSeconds(1))
                .register(registry);
        timer.record(50, TimeUnit.MILLISECONDS);
        timer.record(500, TimeUnit.MILLISECONDS);
        timer.record(5, TimeUnit.SECONDS);

        assertThat(PrometheusText.of(registry).lines())
                .containsSubsequence(
                        "# TYPE t_seconds histogram",
                        "t_seconds_bucket{le=\"0.1\"} 1",
                        "t_seconds_bucket{le=\"1\"} 2",
                        "t_seconds_bucket{le=\"+Inf\"} 3",
                        "t_seconds_sum 5.55",
                        "t_seconds_count 3");
        assertThat(PrometheusText.of(registry)).doesNotContain("t_histogram");
    }

    @Test
    void aSummaryHasItsOwnUnit() {
        DistributionSummary.builder("body").baseUnit("bytes").register(registry).record(12);

        assertThat(PrometheusText.of(registry).lines())
                .contains("# TYPE body_bytes summary", "body_bytes_sum 12", "body_bytes_count 1", "body_bytes_max 12");
    }

    private Counter counter(String name, String key, String value) {
        return Counter.builder(name).description("how many").tag(key, value).register(registry);
    }
}
