package dev.tuna.provider.runpod;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.PreflightReport;
import dev.tuna.testkit.contract.ContractContext;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What the page about the provider shows is what the provider does. */
class DocTest {

    private static final Path PAGE = Path.of("..", "docs", "providers", "runpod.md");

    private static String page() throws Exception {
        return Files.readString(PAGE);
    }

    @Test
    @DisplayName("the page shows what check prints on a machine with nothing configured")
    void check() throws Exception {
        try (RunPodCloud cloud = new RunPodCloud(ContractContext.create().withOwner("a1b2c3d4"), variable -> null)) {
            PreflightReport report = cloud.preflight(
                    Specs.named("tuna-check").model("Qwen/Qwen3-0.6B").spec(), false);
            assertThat(page()).contains("```\n" + printed(report) + "```\n");
        }
    }

    /** As the command {@code tuna check --provider runpod} does. */
    private static String printed(PreflightReport report) {
        StringBuilder text = new StringBuilder();
        report.checks().forEach(check -> {
            text.append("%-7s  %s: %s\n".formatted(check.outcome(), check.name(), check.message()));
            check.fix()
                    .ifPresent(fix -> text.append("         fix: ").append(fix).append('\n'));
        });
        return text.append("runpod cannot be used yet.\n").toString();
    }

    @Test
    @DisplayName("the page shows the built-in prices with their date")
    void prices() throws Exception {
        Map<String, Set<String>> cards = new LinkedHashMap<>();
        Map<String, String> prices = new LinkedHashMap<>();
        GpuCatalog.BUILT_IN.types().forEach(type -> {
            cards.computeIfAbsent(type.pool(), pool -> new LinkedHashSet<>()).add(type.gpu());
            prices.put(
                    type.pool(),
                    type.memoryGb() + " GB | " + dollars(type.usdPerHour().orElseThrow()));
        });
        List<String> rows = new ArrayList<>();
        cards.forEach((pool, names) ->
                rows.add("| `" + pool + "` | " + String.join(", ", names) + " | " + prices.get(pool) + " |\n"));
        assertThat(page()).contains(String.join("", rows)).contains(GpuCatalog.BUILT_IN.source());
    }

    private static String dollars(BigDecimal usd) {
        return usd.setScale(2, RoundingMode.HALF_UP).toPlainString();
    }

    @Test
    @DisplayName("the page names every setting and every option")
    void keys() throws Exception {
        String page = page();
        assertThat(RunPodSettings.KEYS).allMatch(key -> page.contains("`" + key + "`"));
        assertThat(RunPodOptions.KEYS).allMatch(key -> page.contains("`" + key + "`"));
    }

    @Test
    @DisplayName("the page names every version that the queue's worker has")
    void versions() throws Exception {
        assertThat(page()).contains(String.join(", ", EngineImage.workerVersions()));
    }
}
