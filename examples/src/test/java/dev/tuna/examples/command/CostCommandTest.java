package dev.tuna.examples.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.Tier;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class CostCommandTest {

    private static final Instant NOW = Instant.parse("2026-03-02T12:00:00Z");

    @Test
    @DisplayName("the price of a GPU is shown of whoever bills for one, and not of the machine of a router")
    void pricesAreOfGpus() {
        assertThat(prices(line(Tier.SERVERLESS, "runpod", "runpod"), line(Tier.ON_DEMAND, "aws", "chat")))
                .containsExactly("SERVERLESS runpod");
        assertThat(prices(
                        line(Tier.ON_DEMAND, "aws", "chat"),
                        line(Tier.SPOT, "aws", "replica-1"),
                        line(Tier.ON_DEMAND, "aws", "r2-replica-12"),
                        line(Tier.ON_DEMAND, "aws", "replica-13")))
                .containsExactly("SPOT aws", "ON_DEMAND aws");
    }

    private static List<String> prices(CostReport.Line... lines) {
        var bill = new CostReport(
                "chat",
                NOW.minusSeconds(60),
                NOW,
                List.of(lines),
                List.of(),
                BigDecimal.ONE,
                true,
                BigDecimal.ONE,
                Optional.empty(),
                Optional.empty(),
                List.of());
        DeployRequest request =
                DeployRequest.builder("m", "L4").serviceName("chat").build();
        return CostCommand.prices(CostCommandTest::offers, bill, request).stream()
                .map(offer -> offer.tier() + " " + offer.provider())
                .toList();
    }

    private static CostReport.Line line(Tier tier, String provider, String backend) {
        return new CostReport.Line(
                tier, provider, backend, Duration.ofMinutes(1), Optional.of(BigDecimal.ONE), false, true);
    }

    /** Whoever is asked has it, on all terms. */
    private static List<GpuOffer> offers(GpuQuery query) {
        return query.tiers().stream()
                .map(tier -> new GpuOffer(
                        query.provider().orElseThrow(),
                        tier,
                        query.gpu().orElseThrow(),
                        1,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.of(BigDecimal.ONE),
                        NOW,
                        "test"))
                .toList();
    }
}
