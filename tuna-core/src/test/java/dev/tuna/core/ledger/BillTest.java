package dev.tuna.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.CostReport;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.Tier;
import dev.tuna.spi.LedgerEntry;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class BillTest {

    private static final Instant START = Instant.parse("2026-03-01T00:00:00Z");
    private static final Instant END = START.plus(Duration.ofHours(10));
    private static final BilledBackend REPLICA = new BilledBackend("d1", Tier.SPOT, "aws", "i-1");
    private static final BilledBackend SECOND = new BilledBackend("d1", Tier.ON_DEMAND, "aws", "i-2");
    private static final BilledBackend ENDPOINT = new BilledBackend("d1", Tier.SERVERLESS, "runpod", "chat");

    private static LedgerEntry hours(BilledBackend who, int from, int to, OptionalLong price, boolean estimated) {
        Instant start = START.plus(Duration.ofHours(from));
        Duration billed = Duration.ofHours(to - from);
        return who.entry(start, start.plus(billed), billed, price, estimated);
    }

    private static CostReport report(List<LedgerEntry> ledger, List<OpenSpan> running) {
        return Bill.report(
                "chat", START, END, ledger, Days.NONE.plus(ledger), running, Optional.empty(), Optional.empty());
    }

    private static BigDecimal usd(String amount) {
        return new BigDecimal(amount);
    }

    @Test
    @DisplayName("M-04: every replica is billed by itself, at the price of its time, running or ended")
    void hasOneLinePerBackendAndAddsUp() {
        var report = report(
                List.of(
                        hours(REPLICA, 0, 1, OptionalLong.of(300_000), false),
                        hours(ENDPOINT, 0, 1, OptionalLong.of(2_740_000), true),
                        hours(REPLICA, 1, 3, OptionalLong.of(400_000), false)),
                List.of(new ReplicaMeter(SECOND, START, OptionalLong.of(1_000_000)).open(END)));

        assertThat(report.lines())
                .containsExactly(
                        new CostReport.Line(
                                Tier.SPOT,
                                "aws",
                                "i-1",
                                Duration.ofHours(3),
                                Optional.of(usd("1.100000")),
                                false,
                                false),
                        new CostReport.Line(
                                Tier.SERVERLESS,
                                "runpod",
                                "chat",
                                Duration.ofHours(1),
                                Optional.of(usd("2.740000")),
                                true,
                                false),
                        new CostReport.Line(
                                Tier.ON_DEMAND,
                                "aws",
                                "i-2",
                                Duration.ofHours(10),
                                Optional.of(usd("10.000000")),
                                false,
                                true));
        assertThat(report.total()).isEqualTo(usd("13.840000"));
        assertThat(report.complete()).isTrue();
        assertThat(report.usdPerHourNow()).isEqualTo(usd("1.000000"));
    }

    @Test
    @DisplayName("K-05: a machine of unknown price makes the bill incomplete, it does not count as free")
    void showsTimeOfUnknownPriceInALineOfItsOwn() {
        var report = report(
                List.of(
                        hours(REPLICA, 0, 1, OptionalLong.empty(), false),
                        hours(REPLICA, 1, 2, OptionalLong.of(300_000), false)),
                List.of());

        assertThat(report.lines())
                .extracting(CostReport.Line::usd)
                .containsExactly(Optional.empty(), Optional.of(usd("0.300000")));
        assertThat(report.total()).isEqualTo(usd("0.300000"));
        assertThat(report.complete()).isFalse();
    }

    @Test
    void anEndpointScaledToZeroIsNotBilledNow() {
        var endpoint = new EndpointMeter(ENDPOINT, START, Duration.ZERO, OptionalLong.of(2_740_000), false);

        assertThat(report(List.of(), List.of(endpoint.open(END, Duration.ofHours(1), 0)))
                        .lines())
                .extracting(CostReport.Line::running)
                .containsExactly(false);
        assertThat(report(List.of(), List.of(endpoint.open(END, Duration.ofHours(1), 2)))
                        .lines())
                .extracting(CostReport.Line::running)
                .containsExactly(true);
    }

    @Test
    void isZeroAndCompleteWhenNothingRan() {
        var report = report(List.of(), List.of());

        assertThat(report.lines()).isEmpty();
        assertThat(report.total()).isEqualByComparingTo(BigDecimal.ZERO);
        assertThat(report.complete()).isTrue();
    }

    @Test
    @DisplayName("M-06: the same traffic is priced on serverless alone and on on-demand alone")
    void comparesTheSameTraffic() {
        var policy = ScalingPolicy.Serverless.builder()
                .concurrency(10)
                .scaledownWindow(Duration.ofMinutes(1))
                .build();
        var rules = ContainerRules.of(policy, Duration.ZERO);

        var traffic = SameTraffic.start(rules, START)
                .step(rules, START.plus(Duration.ofHours(1)), 25, 3)
                .step(rules, START.plus(Duration.ofHours(2)), 0, 0)
                .step(rules, START.plus(Duration.ofHours(10)), 0, 0);

        // Three containers for an hour and a minute; one machine for nine hours and three for one.
        assertThat(traffic.allServerless(OptionalLong.of(1_000_000))).contains(usd("3.050000"));
        assertThat(traffic.allOnDemand(OptionalLong.of(2_000_000))).contains(usd("24.000000"));
        assertThat(traffic.allServerless(OptionalLong.empty())).isEmpty();
        assertThat(traffic.allOnDemand(OptionalLong.empty())).isEmpty();
    }
}
