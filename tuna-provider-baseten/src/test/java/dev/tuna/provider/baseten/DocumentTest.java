package dev.tuna.provider.baseten;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.PreflightReport;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.contract.ContractContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What {@code docs/providers/baseten.md} says is so. */
class DocumentTest extends StandInTest {

    private static String document() throws IOException {
        return Files.readString(Path.of("").toAbsolutePath().resolveSibling("docs/providers/baseten.md"));
    }

    @Test
    void itShowsWhatACheckPrintsWhereNothingIsConfigured() throws IOException {
        var cloud = new BasetenCloud(ContractContext.create(), variable -> null, time -> {});
        assertThat(document()).contains("```\n" + printed(cloud.preflight(check(), false)) + "```");
    }

    @Test
    void itShowsWhatACheckPrintsWhereEverythingIs() throws IOException {
        try (Bench bench = new Bench(Bench.quick().hub("Qwen/Qwen3-0.6B", 751_632_384L))) {
            var cloud = new BasetenCloud(bench.context.withOwner("own12345"), variable -> null, time -> {});
            assertThat(document()).contains("```\n" + printed(cloud.preflight(check(), false)) + "```");
        }
    }

    /** What the command {@code tuna check} asks for. */
    private static ServerlessSpec check() {
        return Specs.of("tuna-check").model("Qwen/Qwen3-0.6B").spec();
    }

    /** As the command {@code tuna check} prints it. */
    private static String printed(PreflightReport report) {
        List<String> lines = new ArrayList<>();
        report.checks().forEach(check -> {
            String word = check.outcome().name();
            lines.add(word + " ".repeat("WARNING".length() - word.length()) + "  " + check.name() + ": "
                    + check.message());
            check.fix().ifPresent(fix -> lines.add("         fix: " + fix));
        });
        lines.add(report.provider() + (report.passed() ? " can be used." : " cannot be used yet."));
        return String.join("\n", lines) + "\n";
    }

    @Test
    void itNamesEverySettingAndEveryOption() throws IOException {
        String document = document();
        assertThat(BasetenSettings.KEYS).allSatisfy(key -> assertThat(document).contains("`" + key + "`"));
        assertThat(BasetenOptions.KEYS).allSatisfy(key -> assertThat(document).contains("`" + key + "`"));
    }

    @Test
    void itsPricesAreThoseOfTheTable() throws IOException {
        String table = document().replaceAll("(?s).*\\| GPU \\| machine \\| \\$/h \\|\n\\|---\\|---\\|---\\|\n", "");
        List<String> rows = InstanceCatalog.BUILT_IN
                .offers()
                .map(offer -> "| " + offer.gpuCount() + " x " + offer.gpu() + " | `"
                        + offer.machineType().orElseThrow() + "` | "
                        + offer.usdPerHour().orElseThrow().stripTrailingZeros().toPlainString() + " |\n")
                .toList();
        assertThat(table).startsWith(String.join("", rows) + "\n");
    }
}
