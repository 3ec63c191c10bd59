package dev.tuna.provider.baseten;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.PreflightReport.Outcome;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorFault;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** P-20: what is found out before anything is made. */
class PreflightTest extends StandInTest {

    private static final Specs CHAT = Specs.of("chat");

    @Test
    @DisplayName("P-20: key, workspace, machine and price, request and push are checked, and nothing is made")
    void everythingIsChecked() throws Exception {
        try (Bench bench = new Bench(Bench.quick().hub("acme/tiny", 600_000_000L))) {
            PreflightReport report = preflight(bench, CHAT);
            assertThat(report.passed()).as("%s", report).isTrue();
            assertThat(report.checks())
                    .extracting(Check::name)
                    .containsExactly("api_key_present", "api_key_valid", "gpu_offered", "request_valid", "push_valid");
            assertThat(messages(report))
                    .contains(
                            "the workspace is stand-in",
                            "machine L4:4x16, 0.78 $/h",
                            "Model chat-own",
                            "nothing was made");
            assertThat(bench.vendor.models()).isEmpty();
            assertThat(bench.vendor.secrets()).isEmpty();
            assertThat(bench.calls()).noneMatch(call -> call.startsWith("PUT") || call.equals("POST /v1/models"));
        }
    }

    @Test
    void anExistingModelIsCheckedAsAnUpdate() throws Exception {
        try (Bench bench = Bench.instant()) {
            bench.begin(CHAT);
            assertThat(preflight(bench, CHAT.on(2, "L4")).passed()).isTrue();
        }
    }

    @Test
    void aMissingKeyIsAllThatIsSaid() {
        var cloud = new BasetenCloud(ContractContext.create(), variable -> null, time -> {});
        assertThat(cloud.preflight(CHAT.spec(), false).checks()).singleElement().satisfies(check -> {
            assertThat(check.name()).isEqualTo("api_key_present");
            assertThat(check.outcome()).isEqualTo(Outcome.FAILED);
            assertThat(check.fix())
                    .hasValueSatisfying(fix -> assertThat(fix)
                            .contains("export BASETEN_API_KEY", "https://app.baseten.co/settings/api_keys"));
        });
    }

    @Test
    void aWrongKeyAndAnApiThatDoesNotAnswerAreToldApart() throws Exception {
        try (Bench bench = Bench.instant()) {
            var wrong = bench.context
                    .withSecret("wrong/key", Secret.of("wrong-0123456789"))
                    .withSetting("api_key_secret", "wrong/key");
            assertThat(check(preflight(wrong, CHAT), "api_key_valid").outcome()).isEqualTo(Outcome.FAILED);
            var cut = bench.context.withSetting("api_url", "http://127.0.0.1:1");
            Check reachable = check(preflight(cut, CHAT), "api_reachable");
            assertThat(reachable.outcome()).isEqualTo(Outcome.UNKNOWN);
            assertThat(reachable.fix())
                    .hasValueSatisfying(fix -> assertThat(fix).startsWith("curl "));
        }
    }

    @Test
    void aKeyThatBelongsToNobodyIsJudgedByTheModelsThatItSees() throws Exception {
        try (Bench bench = Bench.instant()) {
            for (int status : new int[] {403, 404}) {
                bench.vendor.inject(VendorFault.answering(
                        "GET /v1/users/me", VendorAnswer.json(status, "{\"message\":\"no user\"}")));
                assertThat(preflight(bench, CHAT).passed()).isTrue();
            }
        }
    }

    @Test
    void aWorkspaceThatNobodyPaysForIsSentToBilling() throws Exception {
        try (Bench bench = new Bench(Bench.quick().noPaymentMethod())) {
            Check billing = check(preflight(bench, CHAT), "billing");
            assertThat(billing.outcome()).isEqualTo(Outcome.FAILED);
            assertThat(billing.message()).contains("must add a payment method");
            assertThat(billing.fix()).hasValue("https://app.baseten.co/settings/billing");
        }
    }

    @Test
    void aCardThatTheOrganizationMayNotUseIsForSupport() throws Exception {
        try (Bench bench = new Bench(Bench.quick().disabled("L4"))) {
            Check enabled = check(preflight(bench, CHAT), "gpu_enabled");
            assertThat(enabled.outcome()).isEqualTo(Outcome.FAILED);
            assertThat(enabled.message()).contains("'L4' is not supported for your organization");
            assertThat(enabled.fix()).hasValueSatisfying(fix -> assertThat(fix).contains("support"));
        }
    }

    @Test
    void aCardThatBasetenHasNotIsAnsweredWithThoseThatItHas() throws Exception {
        try (Bench bench = Bench.instant()) {
            Check offered = check(preflight(bench, CHAT.on(4, "T4")), "gpu_offered");
            assertThat(offered.outcome()).isEqualTo(Outcome.FAILED);
            assertThat(offered.message()).contains("no machine with 4 x T4");
            assertThat(offered.fix())
                    .hasValueSatisfying(fix -> assertThat(fix).contains("L4 x [1, 2, 4]", "H100 x [1, 2]"));
        }
    }

    @Test
    void pricesThatCannotBeReadAreAWarning() throws Exception {
        try (Bench bench = Bench.instant()) {
            bench.vendor.inject(VendorFault.answering(
                            "GET /v1/instance_type_prices", VendorAnswer.json(500, "{\"error\":\"oops\"}"))
                    .times(9));
            PreflightReport report = preflight(bench, CHAT);
            assertThat(report.passed()).isTrue();
            assertThat(check(report, "gpu_offered").message()).contains("built-in table of 2026-09-02");
        }
    }

    @Test
    void aModelThatIsTooLargeIsAWarning() throws Exception {
        try (Bench bench =
                new Bench(Bench.quick().hub("acme/tiny", 8_000_000_000L).hub("acme/huge", 70_000_000_000L))) {
            assertThat(check(preflight(bench, CHAT.model("acme/huge")), "model_fits"))
                    .satisfies(check -> assertThat(check.outcome()).isEqualTo(Outcome.WARNING))
                    .satisfies(check -> assertThat(check.message()).contains("131 GiB", "24 GiB"));
            PreflightReport tight = preflight(bench, CHAT);
            assertThat(tight.passed()).isTrue();
            assertThat(check(tight, "host_memory").message()).contains("L4:4x16 has only 16 GiB");
            assertThat(tight.checks()).extracting(Check::name).doesNotContain("model_fits");
        }
    }

    @Test
    void secretsThatAreMissingHereOrThereAreFound() throws Exception {
        try (Bench bench = Bench.instant()) {
            Check here = check(preflight(bench, CHAT.secret("HF_TOKEN", new SecretRef("no/such"))), "secret_present");
            assertThat(here.message()).contains("no/such");
            Specs theirs = CHAT.option("hf_secret", "hf_access_token");
            assertThat(check(preflight(bench, theirs), "hf_secret_present").outcome())
                    .isEqualTo(Outcome.FAILED);
            bench.vendor.putSecret("hf_access_token", Secret.of("x"));
            assertThat(check(preflight(bench, theirs), "hf_secret_present").outcome())
                    .isEqualTo(Outcome.PASSED);
        }
    }

    @Test
    void aRequestThatCannotBeHonouredIsToldProblemByProblem() throws Exception {
        try (Bench bench = Bench.instant()) {
            PreflightReport report = preflight(bench, CHAT.region("mars").scaling(scaling -> scaling.scalerValue(9)));
            assertThat(report.checks())
                    .filteredOn(check -> check.name().equals("request_valid"))
                    .hasSize(2)
                    .allSatisfy(check -> assertThat(check.outcome()).isEqualTo(Outcome.FAILED));
        }
    }

    private static PreflightReport preflight(Bench bench, Specs specs) {
        return preflight(bench.context, specs);
    }

    private static PreflightReport preflight(ContractContext context, Specs specs) {
        return new BasetenCloud(context, variable -> null, time -> {}).preflight(specs.spec(), true);
    }

    private static Check check(PreflightReport report, String name) {
        return report.checks().stream()
                .filter(check -> check.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no check " + name + " in " + report));
    }

    private static String messages(PreflightReport report) {
        List<String> messages = report.checks().stream().map(Check::message).toList();
        return String.join("\n", messages);
    }
}
