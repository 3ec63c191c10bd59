package dev.tuna.provider.modal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.PreflightReport.Outcome;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.modal.ModalFault;
import dev.tuna.testkit.modal.ModalStandIn;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What is checked before anything is made. */
@DisplayName("P-04: preflight")
class PreflightTest {

    private static final String DOCUMENT = "docs/providers/modal.md";

    private static ModalStandIn vendor;

    @BeforeAll
    static void start() {
        vendor = ModalStandIn.builder().start();
    }

    @AfterAll
    static void stop() {
        vendor.close();
        Wire.checkCommands(vendor);
    }

    private static PreflightReport report(ContractContext context, ServerlessSpec spec) {
        try (ServerlessCloud cloud = new ModalProvider().open(context)) {
            return cloud.preflight(spec, false);
        }
    }

    private static Check only(PreflightReport report, String name) {
        List<Check> found = report.checks().stream()
                .filter(check -> check.name().equals(name))
                .toList();
        assertThat(found).as("%s in %s", name, report).hasSize(1);
        return found.get(0);
    }

    private static void fails(PreflightReport report, String name, String message, String fix) {
        Check check = only(report, name);
        assertThat(check.outcome()).isEqualTo(Outcome.FAILED);
        assertThat(check.message()).contains(message);
        assertThat(check.fix().orElseThrow()).contains(fix);
        assertThat(report.passed()).isFalse();
    }

    @Test
    void everythingIsWellAndNothingIsMade() {
        ContractContext context = Contexts.of(vendor).withSetting("environment", "staging");
        int before = vendor.proxyTokens().size();
        PreflightReport report = report(context, Specs.of("chat"));
        assertThat(report.passed()).as("%s", report).isTrue();
        assertThat(report.checks())
                .extracting(Check::name)
                .containsExactly(
                        "gpu_offered",
                        "request_valid",
                        "cli_version",
                        "token_valid",
                        "environment_exists",
                        "proxy_token");
        assertThat(only(report, "token_valid").message()).contains("acme-inference-team");
        assertThat(vendor.proxyTokens()).hasSize(before);
    }

    @Test
    @DisplayName("On a machine with nothing configured it reads as the document shows")
    void nothingIsConfigured() throws Exception {
        ContractContext empty = ContractContext.create().withSetting("hub_url", "http://127.0.0.1:1");
        PreflightReport report;
        try (ServerlessCloud cloud = new ModalCloud(empty, Map.of("PATH", "/nowhere"))) {
            report = cloud.preflight(Specs.of("chat"), false);
        }
        fails(report, "cli_present", "'modal' cannot be run", "pip install --upgrade modal");
        List<String> lines = new ArrayList<>();
        report.checks().forEach(check -> {
            lines.add(String.format("%-7s  %s: %s", check.outcome(), check.name(), check.message()));
            check.fix().ifPresent(fix -> lines.add("         fix: " + fix));
        });
        String shown = String.join("\n", lines)
                .replace(empty.ownerId(), "<installation>")
                .replaceAll("vllm-openai:v[0-9.]+", "vllm-openai:v…");
        Path document = Path.of("").toAbsolutePath().resolveSibling(DOCUMENT);
        assertThat(Files.readString(document))
                .as("%s shows what check prints", document)
                .contains(shown);
    }

    @Test
    void aTokenThatIsMissingOrWrongIsToldApartFromAServerThatDoesNotAnswer() {
        ContractContext none = ContractContext.create();
        for (Map.Entry<String, String> setting : vendor.settings().entrySet()) {
            none = none.withSetting(setting.getKey(), setting.getValue());
        }
        fails(report(none, Specs.of("chat")), "token_valid", "Token missing", "modal setup");
        fails(
                report(Contexts.withWrongToken(Contexts.of(vendor)), Specs.of("chat")),
                "token_valid",
                "Token validation failed",
                "modal setup");
        vendor.inject(ModalFault.saying("token info", ModalFault.UNREACHABLE));
        PreflightReport cut = report(Contexts.of(vendor), Specs.of("chat"));
        assertThat(only(cut, "api_reachable").outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(cut.retryable()).isTrue();
    }

    @Test
    void anEnvironmentThatDoesNotExistIsNamedWithThoseThatDo() {
        fails(
                report(Contexts.of(vendor).withSetting("environment", "prod"), Specs.of("chat")),
                "environment_exists",
                "only main, staging",
                "modal environment create prod");
    }

    @Test
    void theProxyTokenIsLookedUp() {
        ContractContext known = Contexts.of(vendor);
        try (ServerlessCloud cloud = new ModalProvider().open(known)) {
            var resource = cloud.begin(cloud.plan(Specs.of("chat")));
            assertThat(only(cloud.preflight(Specs.of("chat"), false), "proxy_token")
                            .message())
                    .contains("Modal knows");
            String id = ProxyToken.id(
                    known.secrets().get(new SecretRef("modal/proxy-token")).orElseThrow());
            vendor.deleteProxyToken(id);
            fails(cloud.preflight(Specs.of("chat"), false), "proxy_token", id, "proxy-tokens list");
            cloud.destroy(resource);
        }
        fails(
                report(Contexts.of(vendor).withSecret("modal/proxy-token", Secret.of("no token")), Specs.of("chat")),
                "proxy_token",
                "not of the form",
                "proxy-tokens create");
        assertThat(report(
                                Contexts.of(vendor),
                                Specs.of(
                                        "chat",
                                        Specs.engine("L4", 1),
                                        scaling -> scaling,
                                        Optional.empty(),
                                        true,
                                        Map.of()))
                        .checks())
                .extracting(Check::name)
                .doesNotContain("proxy_token");
    }

    @Test
    void clientsThatAreTooOldAreNamed() {
        try (ModalStandIn old = ModalStandIn.builder().version("1.0.5").start()) {
            fails(report(Contexts.of(old), Specs.of("chat")), "cli_version", "1.0.5", "pip install --upgrade modal");
        }
        try (ModalStandIn older = ModalStandIn.builder().version("1.4.2").start()) {
            fails(report(Contexts.of(older), Specs.of("chat")), "proxy_token", "1.4.2", "pip install --upgrade modal");
        }
    }

    @Test
    void whatIsWrongWithTheRequestIsToldEvenWithoutTheCommandLine() {
        ServerlessSpec spec = Specs.of(
                "chat",
                Specs.engine("RTX4090", 1),
                scaling -> scaling.workersMax(12),
                Optional.empty(),
                false,
                Map.of());
        PreflightReport report = report(Contexts.of(vendor).withSetting("cli", "/nowhere/modal"), spec);
        fails(report, "gpu_offered", "RTX4090", "L40S");
        fails(report, "request_valid", "RTX4090", "change the request");
        fails(report, "cli_present", "/nowhere/modal", "pip install");
        ContractContext without = Contexts.of(vendor);
        without.secrets().remove(Specs.TOKEN);
        fails(report(without, Specs.of("chat")), "secret_present", Specs.TOKEN.name(), "secret store");
        assertThat(only(
                                report(Contexts.of(vendor), Specs.scaled("chat", scaling -> scaling.workersMax(12))),
                                "gpu_quota")
                        .outcome())
                .isEqualTo(Outcome.WARNING);
    }
}
