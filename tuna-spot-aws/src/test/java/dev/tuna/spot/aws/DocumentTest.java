package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.PreflightReport;
import dev.tuna.spi.SpotCloud;
import dev.tuna.testkit.contract.ContractContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What {@code docs/providers/aws.md} says is so. */
class DocumentTest {

    private static String document() throws IOException {
        return Files.readString(Path.of("").toAbsolutePath().resolveSibling("docs/providers/aws.md"));
    }

    private static String routerPage() throws IOException {
        return Files.readString(Path.of("").toAbsolutePath().resolveSibling("docs/router-vm.md"));
    }

    @Test
    void groupsAreRemovedByIdSinceEc2KnowsNamesInTheDefaultNetworkOnly() throws IOException {
        for (String page : List.of(document(), routerPage())) {
            assertThat(page)
                    .contains("delete-security-group --region R --group-id")
                    .doesNotContain("--group-name");
        }
    }

    @Test
    void theCheckOfNothingConfiguredIsAsShown() throws IOException {
        // Nothing configured: a chain that finds nothing says the same as a secret that is not there.
        ContractContext nothing = ContractContext.create().withSetting("credentials_secret", "aws/none");
        PreflightReport report;
        try (SpotCloud cloud = new AwsProvider().open(nothing)) {
            report = cloud.preflight(Specs.of("tuna-check"), false);
        }
        String printed = report.checks().stream()
                .map(check -> "%-8s %s: %s".formatted(check.outcome(), check.name(), check.message())
                        + check.fix().map(fix -> "\n         fix: " + fix).orElse(""))
                .collect(Collectors.joining("\n"));
        assertThat(document()).contains("```\n" + printed + "\n```");
    }

    @Test
    void whatRoutersTakeIsAsShown() throws IOException {
        assertThat(document())
                .contains("```json\n" + IamPolicy.routerJson("arn:aws:iam::123456789012:role/tuna-router", "BUCKET")
                        + "\n```");
        RouterOptions.KEYS.forEach(key -> {
            try {
                assertThat(document()).contains("| `" + key + "` |");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        BigDecimal disk = Surcharge.usdPerHour(
                        RouterOptions.of(Map.of(), Map.of("router_instance_profile", "tuna-router")))
                .subtract(new BigDecimal("0.005"));
        BigDecimal machine =
                RouterPrices.builtIn("us-east-1", RouterOptions.INSTANCE_TYPE).orElseThrow();
        String page = routerPage();
        assertThat(page)
                .contains("| `t3.small` | " + machine + " |")
                .contains("| 20 GB gp3 | " + disk.setScale(4, RoundingMode.HALF_UP) + " |")
                .contains("| together | "
                        + machine.add(disk).add(new BigDecimal("0.005")).setScale(4, RoundingMode.HALF_UP) + " |");
    }

    @Test
    void thePolicyIsAsShown() throws IOException {
        assertThat(document()).contains("```json\n" + IamPolicy.json() + "\n```");
    }

    @Test
    void theCostOfDiskAndAddressIsAsShown() {
        AwsOptions options = AwsOptions.of(Map.of(), Map.of());
        assertThat(Surcharge.usdPerHour(options)).isBetween(new BigDecimal("0.062"), new BigDecimal("0.069"));
    }

    @Test
    void everyOptionAndSettingIsDescribed() throws IOException {
        String document = document();
        assertThat(AwsOptions.KEYS).allMatch(key -> document.contains("`" + key + "`"));
        assertThat(AwsSettings.KEYS).allMatch(key -> document.contains("`" + key + "`"));
    }
}
