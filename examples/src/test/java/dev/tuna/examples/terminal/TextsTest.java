package dev.tuna.examples.terminal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DeploymentStatus.BackendStatus;
import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.GpuUse;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextsTest {

    private static final Instant START = Instant.parse("2026-11-24T12:00:00Z");

    @Test
    void columnsAreAsWideAsTheirWidestCellAndFiguresFlushRight() {
        var table = new Table("NAME", "COUNT", "PRICE").row("a", "2", "$0.24").row("longer", "10", "$11.00");
        assertThat(table.lines())
                .containsExactly("NAME    COUNT   PRICE", "a           2   $0.24", "longer     10  $11.00");
        assertThatThrownBy(() -> table.row("too", "few")).hasMessage("2 cells for 3 columns");
    }

    @Test
    void whatATerminalWouldObeyIsReplacedWhoeverWroteIt() {
        String nasty = "a\u001b]0;title\u0007b\tc\r\nd\u009b2J\u202Ee";
        assertThat(Printable.line(nasty)).isEqualTo("a\uFFFD]0;title\uFFFDb\tc d\uFFFD2J\uFFFDe");
        assertThat(Printable.text("two\nlines\r")).isEqualTo("two\nlines\uFFFD");
        assertThat(Printable.text("caf\u00e9 \u9c52")).isEqualTo("caf\u00e9 \u9c52");
        assertThat(new Table("A", "B").row("\u001b[2J", "x\ny").lines()).containsExactly("A     B", "\uFFFD[2J  x y");
    }

    @Test
    void noCellIsAFormulaToASpreadsheetAndOddOnesAreQuoted() {
        var table = new Table("A", "B", "C", "D", "E")
                .row("=1+1", "@x", "-2.5", "-", "+cmd")
                .row("a\u001bb", "c\nd", "e,f", "g\"h", "-x");
        assertThat(table.csv())
                .containsExactly("a,b,c,d,e", "'=1+1,'@x,-2.5,-,'+cmd", "\"a\u001bb\",\"c\nd\",\"e,f\",\"g\"\"h\",'-x");
    }

    @ParameterizedTest
    @CsvSource({
        "0,$0.00",
        "12.345,$12.35",
        "1,$1.00",
        "0.5,$0.5000",
        "0.01,$0.0100",
        "0.000042,$0.000042",
        "-2.5,-$2.50"
    })
    void smallSumsAreShownWithMoreDigits(BigDecimal usd, String text) {
        assertThat(Dollars.text(usd)).isEqualTo(text);
    }

    @Test
    void theBoardHasALineForTheWholeAndABarForEachBackend() {
        var traffic = new TrafficStats(120, 110, 0, 0, 0, 3, 8, 2, Map.of());
        List<String> lines = BackendBoard.lines(
                status(
                        traffic,
                        backend("serverless-1", Tier.SERVERLESS, BackendPhase.READY, 5),
                        backend("r-1", Tier.SPOT, BackendPhase.IMAGE, 0),
                        backend("r-2", Tier.SPOT, BackendPhase.DRAINING, 3)),
                START.plusSeconds(75),
                Terminal.PLAIN);
        assertThat(lines)
                .containsExactly(
                        "chat  spot warming  120 requests, 0 failed, 8 in flight, 2 waiting",
                        "  serverless serverless-1  ###### ready     1:15  5 in flight",
                        "  spot       r-1           ###... image     1:15  0 in flight",
                        "  spot       r-2           ...... draining  1:15  3 in flight");
    }

    @Test
    void theBoardHasWhatIsKnownOfAReplicasGpusAndOfItsEnd() {
        Optional<GpuUse> gpu = Optional.of(new GpuUse(87, 18_432, 23_034));
        Instant now = START.plusSeconds(75);
        List<String> lines = BackendBoard.lines(
                status(
                        new TrafficStats(0, 0, 0, 0, 0, 0, 0, 0, Map.of()),
                        replica("r-1", Optional.empty(), Optional.empty(), gpu),
                        replica("r-2", Optional.empty(), Optional.of(now.minusSeconds(12)), Optional.empty()),
                        replica("r-3", Optional.of(now.plusSeconds(100)), Optional.of(now.minusSeconds(12)), gpu),
                        replica("r-4", Optional.of(now.minusSeconds(1)), Optional.empty(), Optional.empty())),
                now,
                Terminal.PLAIN);
        assertThat(lines.subList(1, 5))
                .containsExactly(
                        "  spot       r-1  ###### ready     1:15  0 in flight  GPU 87%, 18.0 of 22.5 GiB  loaded",
                        "  spot       r-2  ###### ready     1:15  0 in flight  recommended to leave 0:12 ago  loaded",
                        "  spot       r-3  ###### ready     1:15  0 in flight  GPU 87%, 18.0 of 22.5 GiB  is taken in 1:40"
                                + "  loaded",
                        "  spot       r-4  ###### ready     1:15  0 in flight  was to be taken 0:01 ago  loaded");
    }

    @Test
    void aBillShowsEachBackendTheTotalAndWhatElsewhereWouldHaveCost() {
        var bill = new CostReport(
                "chat",
                START,
                START.plusSeconds(60),
                List.of(
                        line(Tier.SERVERLESS, "serverless-1", Optional.of(new BigDecimal("0.003")), true, true),
                        line(Tier.SPOT, "r-1", Optional.empty(), false, false)),
                List.of(),
                new BigDecimal("0.003"),
                false,
                new BigDecimal("1.1"),
                Optional.of(new BigDecimal("0.004")),
                Optional.empty(),
                List.of());
        assertThat(BillText.lines(bill))
                .containsExactly(
                        "TIER        PROVIDER  BACKEND       BILLED       COST",
                        "serverless  local     serverless-1   10.0s  $0.003000  running estimated",
                        "spot        local     r-1            10.0s    unknown",
                        "chat: $0.003000 and what has no known price, now $1.10 per hour",
                        "the same traffic all-serverless: about $0.004000 (25% saved)",
                        "the same traffic all-on-demand:  unknown");
    }

    @Test
    void aDifferenceThatRoundsToNothingIsNoSaving() {
        var bill = new CostReport(
                "chat",
                START,
                START.plusSeconds(60),
                List.of(),
                List.of(),
                new BigDecimal("1.000000"),
                true,
                BigDecimal.ZERO,
                Optional.of(new BigDecimal("1.004")),
                Optional.of(new BigDecimal("0.996")),
                List.of());
        assertThat(BillText.lines(bill))
                .filteredOn(line -> line.startsWith("the same traffic"))
                .hasSize(2)
                .allMatch(line -> line.endsWith("(about the same)"));
    }

    private static CostReport.Line line(
            Tier tier, String backend, Optional<BigDecimal> usd, boolean estimated, boolean running) {
        return new CostReport.Line(tier, "local", backend, Duration.ofSeconds(10), usd, estimated, running);
    }

    private static DeploymentStatus status(TrafficStats traffic, BackendStatus... backends) {
        return new DeploymentStatus(
                "chat",
                DeploymentPhase.ACTIVE,
                URI.create("http://127.0.0.1:8080/v1"),
                SpotState.WARMING,
                List.of(backends),
                traffic,
                START,
                List.of(),
                Optional.empty());
    }

    private static BackendStatus replica(
            String id, Optional<Instant> interruption, Optional<Instant> rebalance, Optional<GpuUse> gpu) {
        return new BackendStatus(
                id, "aws", Tier.SPOT, BackendPhase.READY, "loaded", "", 1, 0, START, interruption, rebalance, gpu);
    }

    private static BackendStatus backend(String id, Tier tier, BackendPhase phase, int inFlight) {
        return new BackendStatus(id, "local", tier, phase, "", "", 1, inFlight, START, Optional.empty());
    }
}
