package dev.tuna.examples.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Budget;
import dev.tuna.api.BudgetUse;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class CostTextTest {

    private static final Instant START = Instant.parse("2026-03-01T22:00:00Z");
    private static final Instant NOW = Instant.parse("2026-03-02T01:30:00Z");

    private static Optional<BigDecimal> usd(String amount) {
        return Optional.of(new BigDecimal(amount));
    }

    private static CostReport bill(String allServerless, List<BudgetUse> budgets) {
        return new CostReport(
                "chat",
                START,
                NOW,
                List.of(
                        new CostReport.Line(
                                Tier.SERVERLESS, "local", "local", Duration.ofMinutes(6), usd("0.11"), true, false),
                        new CostReport.Line(
                                Tier.SPOT, "local-spot", "replica-1", Duration.ofHours(3), usd("0.72"), false, true)),
                List.of(
                        new CostReport.Day(LocalDate.of(2026, 3, 1), Tier.SPOT, Duration.ofHours(2), usd("0.48")),
                        new CostReport.Day(
                                LocalDate.of(2026, 3, 2), Tier.SERVERLESS, Duration.ofMinutes(6), usd("0.11")),
                        new CostReport.Day(LocalDate.of(2026, 3, 2), Tier.SPOT, Duration.ofHours(1), usd("0.24"))),
                new BigDecimal("0.83"),
                true,
                new BigDecimal("0.24"),
                usd(allServerless),
                usd("2.80"),
                budgets);
    }

    private static DeploymentStatus status() {
        return new DeploymentStatus(
                "chat",
                DeploymentPhase.ACTIVE,
                URI.create("http://127.0.0.1:8080/v1"),
                SpotState.READY,
                List.of(),
                new TrafficStats(965, 965, 0, 0, 0, 6, 0, 0, Map.of(Tier.SPOT, 618L, Tier.SERVERLESS, 347L)),
                START,
                List.of(),
                Optional.empty());
    }

    private static String text(CostReport bill) {
        GpuOffer price = new GpuOffer(
                "local-spot",
                Tier.SPOT,
                "L4",
                1,
                Optional.empty(),
                Optional.of("l4-1"),
                usd("0.24"),
                NOW.minusSeconds(95),
                "the local cloud");
        return String.join("\n", CostText.lines(bill, status(), List.of(price), NOW));
    }

    @Test
    @DisplayName("M-01 the header has the age, the requests and who answered them")
    void header() {
        assertThat(text(bill("3.85", List.of())))
                .startsWith("chat  active for 3h30m  965 requests: 347 by serverless, 618 by spot");
    }

    @Test
    @DisplayName("a bill that could not be brought up to date says so")
    void old() {
        CostReport bill = bill("3.85", List.of());
        assertThat(CostText.lines(bill, status(), List.of(), NOW.plusSeconds(59)))
                .noneMatch(line -> line.contains("as of"));
        assertThat(CostText.lines(bill, status(), List.of(), NOW.plusSeconds(90)))
                .contains("as of 2026-03-02T01:30:00Z, 1m30s ago: nothing newer could be asked for");
    }

    @Test
    @DisplayName("M-02 M-03 M-04 M-08 a line for each backend, sums by tier and by day, and the cost per hour now")
    void tiersAndDays() {
        assertThat(text(bill("3.85", List.of())))
                .contains("running", "estimated", "now $0.2400 per hour")
                .contains("by tier: serverless $0.1100, spot $0.7200")
                .containsPattern("2026-03-01 +- +\\$0.4800 +- +\\$0.4800")
                .containsPattern("2026-03-02 +\\$0.1100 +\\$0.2400 +- +\\$0.3500");
    }

    @Test
    @DisplayName("M-06 M-07 what it would have cost elsewhere, and honestly whether anything was saved")
    void comparison() {
        assertThat(text(bill("3.85", List.of())))
                .contains("all-serverless: about $3.85 (78% saved)", "all-on-demand:  about $2.80")
                .contains("You saved about $3.02 against all-serverless (78% cheaper).");
        assertThat(text(bill("0.50", List.of())))
                .contains("more than all-serverless")
                .doesNotContain("You saved");
    }

    @Test
    @DisplayName("M-09 budgets show what is used, and when one is hit until when; prices their age")
    void budgetsAndPrices() {
        String text = text(bill(
                "3.85",
                List.of(
                        new BudgetUse(
                                false,
                                Budget.Period.DAY,
                                new BigDecimal("20"),
                                new BigDecimal("0.35"),
                                Budget.Action.WARN,
                                Optional.empty()),
                        new BudgetUse(
                                true,
                                Budget.Period.HOUR,
                                new BigDecimal("0.20"),
                                new BigDecimal("0.24"),
                                false,
                                Budget.Action.SERVERLESS_ONLY,
                                Optional.of(NOW.plusSeconds(1800))))));
        assertThat(text)
                .contains("budget: $0.3500 of $20.00 a day (2%), then warn")
                .contains(
                        "overall budget: $0.2400 of $0.2000 an hour (120%), then serverless-only; HIT until 2026-03-02T02:00:00Z; of a part only, the rest has no known price")
                .contains("price: spot local-spot $0.2400/h for l4-1, 1m35s old (the local cloud)");
    }
}
