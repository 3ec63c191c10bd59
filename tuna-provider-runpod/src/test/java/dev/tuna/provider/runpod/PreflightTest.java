package dev.tuna.provider.runpod;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.PreflightReport.Outcome;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.runpod.RunPodStandIn;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorFault;
import dev.tuna.testkit.vendor.VendorServer;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is checked before anything is made, and what is said to mend it. */
class PreflightTest {

    private final RunPodStandIn vendor = RunPodStandIn.builder().start();
    private final Specs specs = Specs.named("tuna-p");

    @AfterEach
    void close() throws IOException {
        vendor.close();
        Wire.checkConformance(vendor);
    }

    private PreflightReport report(Specs asked) {
        return report(Contexts.of(vendor), asked);
    }

    private static PreflightReport report(ContractContext context, Specs asked) {
        try (RunPodCloud cloud = new RunPodCloud(context, variable -> null)) {
            return cloud.preflight(asked.spec(), false);
        }
    }

    private static Check check(PreflightReport report, String name) {
        List<Check> named = report.checks().stream()
                .filter(each -> each.name().equals(name))
                .toList();
        assertThat(named).as("%s in %s", name, report).hasSize(1);
        return named.get(0);
    }

    @Test
    @DisplayName("P-10 where everything is there, everything passes and is told in figures")
    void everythingPasses() {
        PreflightReport report = report(specs);
        assertThat(report.passed()).isTrue();
        assertThat(report.checks()).extracting(Check::outcome).containsOnly(Outcome.PASSED);
        assertThat(report.checks())
                .extracting(Check::name)
                .containsExactly(
                        "api_key_present", "api_key_valid", "gpu_offered", "request_valid", "balance", "worker_quota");
        assertThat(check(report, "gpu_offered").message()).isEqualTo("RunPod has L4 to give, 0.69 $/h each");
        assertThat(check(report, "balance").message()).isEqualTo("the account has 1000 $");
        assertThat(check(report, "worker_quota").message()).isEqualTo("0 of 60 workers are taken, 5 wanted");
    }

    @Test
    @DisplayName(
            "P-10, E-13 without a key it is said where to get one, and nobody is asked; what would be sent is checked")
    void nothingConfigured() {
        PreflightReport report = report(ContractContext.create(), specs);
        assertThat(report.passed()).isFalse();
        Check key = check(report, "api_key_present");
        assertThat(key.outcome()).isEqualTo(Outcome.FAILED);
        assertThat(key.fix().orElseThrow())
                .isEqualTo("export RUNPOD_API_KEY=… with a key from https://console.runpod.io/user/settings");
        assertThat(check(report, "request_valid").outcome()).isEqualTo(Outcome.PASSED);
        assertThat(vendor.exchanges()).isEmpty();
    }

    @Test
    @DisplayName("E-13 the key may come from the environment; the secret store wins")
    void keyFromTheEnvironment() {
        ContractContext keyless = ContractContext.create();
        for (Map.Entry<String, String> setting : vendor.settings().entrySet()) {
            keyless = keyless.withSetting(setting.getKey(), setting.getValue());
        }
        String key = vendor.key().reveal();
        try (RunPodCloud cloud =
                new RunPodCloud(keyless, variable -> variable.equals("RUNPOD_API_KEY") ? " " + key + "\n" : null)) {
            assertThat(cloud.preflight(specs.spec(), false).passed()).isTrue();
            keyless.withSecret("runpod/api-key", Secret.of("rpa_another"));
            assertThat(cloud.preflight(specs.spec(), false).passed()).isFalse();
        }
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"401, api_key_valid, FAILED", "403, api_key_valid, FAILED", "500, api_key_valid, UNKNOWN"})
    @DisplayName("a key that RunPod does not take is a failure, a RunPod that cannot say is not")
    void keyThatIsNotTaken(int status, String name, Outcome outcome) {
        vendor.inject(VendorFault.answering("GET /v2/serverless", Wire.problem(status, "access denied")));
        Check key = check(report(specs), name);
        assertThat(key.outcome()).isEqualTo(outcome);
        assertThat(key.message()).contains("access denied");
        assertThat(key.fix().orElseThrow()).contains("https://console.runpod.io/user/settings");
    }

    @Test
    void aRunPodThatDoesNotAnswerIsUnknown() {
        Check reachable =
                check(report(Contexts.of(vendor).withSetting("api_url", "http://127.0.0.1:1"), specs), "api_reachable");
        assertThat(reachable.outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(reachable.fix().orElseThrow()).contains("curl", "http://127.0.0.1:1");
    }

    @Test
    @DisplayName("a GPU that RunPod has not got fails with those that it has; one of which none is left is a warning")
    void gpu() {
        Check none = check(report(specs.gpu("TPU-V9", 1)), "gpu_offered");
        assertThat(none.outcome()).isEqualTo(Outcome.FAILED);
        assertThat(none.fix().orElseThrow()).contains("A100_80GB", "H100", "L4", "RTX4090");
        assertThat(check(report(specs.gpu("H200", 1)), "gpu_offered").outcome()).isEqualTo(Outcome.WARNING);
        assertThat(check(report(specs.option("gpu_pools", "MOON_9")), "gpu_offered")
                        .outcome())
                .isEqualTo(Outcome.FAILED);
    }

    @Test
    @DisplayName("F-03 more cards than a machine has are refused, with the most that it has")
    void tooManyCards() {
        Check request = check(report(specs.gpu("L4", 16)), "request_valid");
        assertThat(request.outcome()).isEqualTo(Outcome.FAILED);
        assertThat(request.message()).contains("gpuCount is 16", "at most 8 x L4");
    }

    @Test
    @DisplayName("a data center without the GPU fails with those that have it")
    void place() {
        Check offered = check(report(specs.region("EU-RO-1")), "gpu_offered");
        assertThat(offered.outcome()).isEqualTo(Outcome.FAILED);
        assertThat(offered.message()).contains("EU-RO-1");
        assertThat(offered.fix().orElseThrow()).contains("US-KS-2");
        assertThat(report(specs.region("US-KS-2")).passed()).isTrue();
    }

    @Test
    void aCatalogueThatCannotBeReadIsAWarningWithTheDateOfTheTable() {
        vendor.inject(VendorFault.answering("GET /v2/catalog/gpus", Wire.problem(500, "no"))
                .times(3));
        Check offered = check(report(specs), "gpu_offered");
        assertThat(offered.outcome()).isEqualTo(Outcome.WARNING);
        assertThat(offered.message()).contains("built-in table of 2026-08-20");
    }

    @Test
    @DisplayName("an account without money fails, one that does not tell is a warning")
    void balance() throws IOException {
        try (RunPodStandIn poor =
                RunPodStandIn.builder().balance(BigDecimal.ZERO).start()) {
            Check balance = check(report(Contexts.of(poor), specs), "balance");
            assertThat(balance.outcome()).isEqualTo(Outcome.FAILED);
            assertThat(balance.fix()).contains("https://console.runpod.io/user/billing");
        }
        vendor.inject(VendorFault.answering(
                "POST /graphql", VendorAnswer.json(200, "{\"errors\":[{\"message\":\"Something went wrong\"}]}")));
        assertThat(check(report(specs), "balance").outcome()).isEqualTo(Outcome.WARNING);
    }

    @Test
    @DisplayName("F-10 workers beyond what the account may have are a warning, for RunPod may have granted more")
    void quota() throws IOException {
        try (RunPodStandIn small =
                RunPodStandIn.builder().balance(BigDecimal.valueOf(20)).start()) {
            ContractContext context = Contexts.of(small);
            try (RunPodCloud cloud = new RunPodCloud(context, variable -> null)) {
                cloud.begin(cloud.plan(Specs.named("tuna-other").spec()));
            }
            Check quota = check(report(context, specs), "worker_quota");
            assertThat(quota.outcome()).isEqualTo(Outcome.WARNING);
            assertThat(quota.message()).contains("5 of about 5 workers are taken");
            assertThat(quota.fix().orElseThrow()).contains("serverless.workers_max");
        }
    }

    @Test
    void secretsThatAreNotThereAreNamed() {
        PreflightReport report = report(
                Contexts.of(vendor).withSetting("endpoint_key_secret", "runpod/calls"),
                specs.secret("WANDB_API_KEY", new SecretRef("wandb")));
        assertThat(check(report, "secret_present").message()).isEqualTo("there is no secret 'wandb'");
        assertThat(check(report, "endpoint_key_present").message()).contains("'runpod/calls'");
        assertThat(report.passed()).isFalse();
    }

    @Test
    @DisplayName("a model that cannot fit the cards is a warning")
    void modelThatDoesNotFit() {
        try (VendorServer hub = VendorServer.start(
                request -> VendorAnswer.json(200, "{\"safetensors\":{\"parameters\":{\"BF16\":70000000000}}}"))) {
            ContractContext context =
                    Contexts.of(vendor).withSetting("hub_url", hub.uri().toString());
            Check fits = check(report(context, specs), "model_fits");
            assertThat(fits.outcome()).isEqualTo(Outcome.WARNING);
            assertThat(fits.message()).contains("131 GiB", "1 x L4 have 24 GiB");
            assertThat(report(context, specs.gpu("A100_80GB", 4)).checks())
                    .extracting(Check::name)
                    .doesNotContain("model_fits");
            assertThat(hub.exchanges())
                    .as("the token goes to Hugging Face alone")
                    .allMatch(exchange -> exchange.request().bearer().isEmpty());
        }
    }

    @Test
    void wrongSettingsAreNamedTogetherWhenTheCloudIsOpened() {
        ContractContext context =
                ContractContext.create().withSetting("api_url", "nowhere").withSetting("observe_interval_seconds", "x");
        assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> new RunPodProvider().open(context)))
                .hasMessageContaining("api_url")
                .hasMessageContaining("observe_interval_seconds is 'x'");
        assertThat(report(Contexts.of(vendor).withSetting("regoin", "x"), specs).passed())
                .isFalse();
    }
}
