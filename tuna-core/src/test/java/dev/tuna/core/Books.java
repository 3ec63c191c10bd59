package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.CostReport;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.stream.Stream;

/** Compares a bill with the simulated cloud's own meters, which round nothing. */
final class Books {

    private Books() {}

    static BigDecimal sum(Stream<BigDecimal> amounts) {
        return amounts.reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    private static Duration total(Stream<Duration> times) {
        return times.reduce(Duration.ZERO, Duration::plus);
    }

    /** Times are equal to the nanosecond; money differs by the rounding of each entry at the most. */
    static void assertBilledAsMetered(Simulation world, CostReport bill, int entries, String what) {
        assertBilledAsMetered(world, bill, BigDecimal.valueOf(entries, 6).multiply(new BigDecimal("0.5")), what);
    }

    static void assertBilledAsMetered(Simulation world, CostReport bill, BigDecimal tolerance, String what) {
        var cloud = world.cloud.snapshot();
        assertThat(total(bill.lines().stream().map(CostReport.Line::billed)))
                .as("%s: billed time", what)
                .isEqualTo(total(Stream.concat(
                        cloud.replicas().stream().map(replica -> replica.billed()),
                        cloud.endpoints().stream().map(endpoint -> endpoint.containerTime()))));
        BigDecimal metered = sum(Stream.concat(
                cloud.replicas().stream().map(replica -> replica.usd()),
                cloud.endpoints().stream().map(endpoint -> endpoint.usd())));
        assertThat(bill.total().subtract(metered).abs())
                .as("%s: billed %s, metered %s", what, bill.total(), metered)
                .isLessThanOrEqualTo(tolerance);
    }
}
