package dev.tuna.provider.cloudrun;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.PreflightReport.Outcome;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.cloudrun.CloudRunStandIn;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorFault;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is found before anything is made. Covers P-30. */
class PreflightTest {

    private static final ServerlessSpec SPEC = Specs.of("chat");
    private static final String ROUTER = "router@tuna-standin.iam.gserviceaccount.com";

    private static Check check(PreflightReport report, String name) {
        return report.checks().stream()
                .filter(check -> check.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no check '" + name + "' in " + report));
    }

    private static void failed(PreflightReport report, String name, String said, String fix) {
        Check check = check(report, name);
        assertThat(check.outcome()).as("%s", check).isEqualTo(Outcome.FAILED);
        assertThat(check.message()).contains(said);
        assertThat(check.fix()).hasValueSatisfying(way -> assertThat(way).contains(fix));
        assertThat(report.passed()).isFalse();
    }

    private static PreflightReport report(CloudRunStandIn.Builder builder, ServerlessSpec spec) {
        try (World world = World.of(builder)) {
            return world.cloud.preflight(spec, false);
        }
    }

    @Test
    @DisplayName("P-30: on a machine with nothing configured it says what to do, as the documentation shows")
    void nothingConfigured() throws Exception {
        ContractContext context = ContractContext.create().withSetting("hub_url", "http://127.0.0.1:1");
        List<String> lines = new ArrayList<>();
        Map<String, String> environment = Map.of("NO_GCE_CHECK", "true", "HOME", "/nonexistent");
        try (var cloud = new CloudRunCloud(context, environment::get)) {
            PreflightReport report = cloud.preflight(SPEC, false);
            assertThat(context.requests()).as("nobody is asked").isZero();
            report.checks().forEach(check -> {
                lines.add(String.format("%-7s  %s: %s", check.outcome(), check.name(), check.message()));
                check.fix().ifPresent(fix -> lines.add("         fix: " + fix));
            });
        }
        assertThat(Files.readString(Path.of("../docs/providers/cloudrun.md")))
                .as("docs/providers/cloudrun.md shows what it prints")
                .contains(String.join("\n", lines));
    }

    @Test
    void whereAllIsWellEveryCheckPasses() {
        PreflightReport report = report(CloudRunStandIn.builder(), SPEC);
        assertThat(report.checks()).allMatch(check -> check.outcome() == Outcome.PASSED);
        assertThat(report.checks())
                .extracting(Check::name)
                .containsExactly(
                        "credentials_present",
                        "credentials_valid",
                        "request_valid",
                        "project_active",
                        "billing_enabled",
                        "apis_enabled",
                        "permissions",
                        "id_token",
                        "gpu_quota",
                        "cpu_quota",
                        "memory_quota",
                        "request_accepted");
    }

    @ParameterizedTest(name = "{0} GPUs, {1} CPUs, {2} GiB for {3} instances: {4}")
    @CsvSource({
        "0, 1000, 1000, 1, gpu_quota, '1 x 1 L4 wanted', https://console.cloud.google.com/iam-admin/quotas",
        "2, 1000, 1000, 3, gpu_quota, '3 x 1 L4 wanted', set serverless.workers_max to 2",
        "9, 20, 1000, 3, cpu_quota, '3 x 8 CPU wanted', set serverless.workers_max to 2",
        "9, 1000, 40, 2, memory_quota, '2 x 32 GiB of memory wanted', set serverless.workers_max to 1"
    })
    @DisplayName("P-30: quotas of GPUs, CPUs and memory are checked for as many instances as there may be")
    void quotasCountEveryInstance(
            long gpus, long cpus, long memory, int instances, String name, String said, String fix) {
        ScalingPolicy.Serverless scaling =
                ScalingPolicy.Serverless.builder().workersMax(instances).build();
        PreflightReport report = report(CloudRunStandIn.builder().quota(gpus, cpus, memory), Specs.with(SPEC, scaling));
        failed(report, name, said, fix);
        assertThat(check(report, "request_accepted").outcome())
                .as("Cloud Run says the same")
                .isEqualTo(Outcome.FAILED);
    }

    @Test
    void aQuotaInThousandthsIsRead() {
        PreflightReport report = report(
                CloudRunStandIn.builder().quota(5, 1000, 1000),
                Specs.with(SPEC, Specs.on(SPEC.engine(), "RTX_PRO_6000", 1)));
        assertThat(check(report, "gpu_quota").message()).contains("5 of 5 RTX_PRO_6000");
    }

    @Test
    @DisplayName("P-30: an API that is not enabled is told, and enabled when asked for")
    void apisAreEnabledWhenAskedFor() {
        try (World world = World.of(CloudRunStandIn.builder().disabledApis("run.googleapis.com"))) {
            failed(
                    world.cloud.preflight(SPEC, false),
                    "apis_enabled",
                    "run.googleapis.com",
                    "gcloud services enable run.googleapis.com --project=tuna-standin");
            PreflightReport fixed = world.cloud.preflight(SPEC, true);
            assertThat(check(fixed, "apis_enabled").outcome()).isEqualTo(Outcome.FIXED);
            assertThat(world.cloud.preflight(SPEC, false).passed()).isTrue();
            assertThat(world.vendor.services()).isEmpty();
        }
    }

    @Test
    void aSupportingApiThatIsNotEnabledIsOnlyAWarning() {
        PreflightReport report = report(
                CloudRunStandIn.builder()
                        .disabledApis(
                                "cloudbilling.googleapis.com",
                                "cloudquotas.googleapis.com",
                                "cloudresourcemanager.googleapis.com"),
                SPEC);
        assertThat(report.passed()).isTrue();
        for (String name : List.of("project_active", "billing_enabled", "permissions", "gpu_quota")) {
            Check check = check(report, name);
            assertThat(check.outcome()).as(name).isEqualTo(Outcome.WARNING);
            assertThat(check.fix()).hasValueSatisfying(fix -> assertThat(fix).contains("gcloud services enable"));
        }
    }

    @Test
    void aProjectWithoutBillingIsTold() {
        failed(
                report(CloudRunStandIn.builder().withoutBilling(), SPEC),
                "billing_enabled",
                "no billing account",
                "https://console.cloud.google.com/billing");
    }

    @Test
    void aMissingRightIsNamed() {
        failed(
                report(CloudRunStandIn.builder().deniedPermissions("run.services.create"), SPEC),
                "permissions",
                "run.services.create",
                "--role=roles/run.admin");
    }

    @Test
    void aProjectThatIsAnothersIsToldAndNothingElse() {
        PreflightReport report =
                report(CloudRunStandIn.builder(), Specs.with(SPEC, Map.of("project", "another-project")));
        assertThat(check(report, "project_active").message()).contains("403");
    }

    @Test
    @DisplayName("P-32: whoever cannot call a private service is told before it is made")
    void whoCannotCallAPrivateServiceIsTold() {
        CloudRunStandIn vendor = CloudRunStandIn.builder().start();
        try (World world = new World(vendor, Contexts.of(vendor, vendor.userLogin()))) {
            failed(world.cloud.preflight(SPEC, false), "id_token", "engine_key", "invoker_service_account");
            failed(
                    world.cloud.preflight(Specs.with(SPEC, Map.of("invoker_service_account", ROUTER)), false),
                    "id_token",
                    "403",
                    "gcloud iam service-accounts add-iam-policy-binding " + ROUTER);
            assertThat(world.cloud
                            .preflight(Specs.with(SPEC, Map.of("access", "engine_key")), false)
                            .passed())
                    .isTrue();
        }
    }

    @Test
    @DisplayName("P-30: a missing token is told, and a model that is too large is a warning")
    void secretsAndSizes() {
        try (World world = World.create()) {
            failed(
                    world.cloud.preflight(
                            Specs.with(
                                    SPEC, Specs.secrets(SPEC.engine(), Map.of("HF_TOKEN", new SecretRef("nowhere")))),
                            false),
                    "secret_present",
                    "nowhere",
                    "secret store");
            PreflightReport small = world.cloud.preflight(model("acme/tiny-8B"), false);
            assertThat(small.checks()).extracting(Check::name).doesNotContain("model_fits", "model_fits_memory");
            PreflightReport large = world.cloud.preflight(model("acme/large-14B"), false);
            assertThat(check(large, "model_fits").outcome()).isEqualTo(Outcome.WARNING);
            assertThat(check(large, "model_fits_memory").fix())
                    .hasValueSatisfying(fix -> assertThat(fix).contains("weights_bucket"));
            assertThat(large.passed()).isTrue();
        }
    }

    private static ServerlessSpec model(String model) {
        return Specs.with(SPEC, Specs.model(SPEC.engine(), model));
    }

    @Test
    void aCredentialFileThatIsNoneIsToldWithoutQuotingIt() {
        CloudRunStandIn vendor = CloudRunStandIn.builder().start();
        try (World world = new World(vendor, Contexts.of(vendor, Secret.of("{\"type\":\"planted-9134\"")))) {
            PreflightReport report = world.cloud.preflight(SPEC, false);
            failed(report, "credentials_valid", "secret 'cloudrun/credentials'", "gcloud auth");
            assertThat(report.toString()).doesNotContain("planted-9134");
        } catch (AssertionError e) {
            // No API was asked, so there is nothing to check against the documents.
            assertThat(e).hasMessageContaining("exchanges checked");
        }
    }

    @Test
    void whatDoesNotAnswerIsUnknownAndMayBeAskedAgain() {
        try (World world = World.create()) {
            world.vendor.inject(
                    VendorFault.answering("GET .*/quotaInfos/.*", VendorAnswer.json(503, "{\"error\":{\"code\":503}}"))
                            .times(3));
            PreflightReport report = world.cloud.preflight(SPEC, false);
            assertThat(check(report, "gpu_quota").outcome()).isEqualTo(Outcome.UNKNOWN);
            assertThat(report.retryable()).isTrue();
            assertThat(world.cloud.preflight(SPEC, false).passed()).isTrue();
        }
    }

    @Test
    void credentialsAreLookedForWhereGooglesToolsPutThem(@TempDir Path home) throws Exception {
        Path folder = Files.createDirectories(home.resolve(".config/gcloud"));
        Files.writeString(folder.resolve("application_default_credentials.json"), "{\"type\":\"authorized_user\"}");
        assertThat(found(Map.of("HOME", home.toString())).flatMap(found -> found.field("type")))
                .contains("authorized_user");
        assertThat(found(Map.of("CLOUDSDK_CONFIG", folder.toString()))).isPresent();
        assertThat(found(Map.of("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere", "HOME", home.toString())))
                .as("a file that is named and is not there is not replaced by another")
                .isEmpty();
        assertThat(found(Map.of(
                        "GOOGLE_APPLICATION_CREDENTIALS_JSON",
                        "{\"type\":\"service_account\"}",
                        "HOME",
                        home.toString())))
                .as("what was brought to the machine of a router")
                .hasValueSatisfying(found -> {
                    assertThat(found.field("type")).contains("service_account");
                    assertThat(found.where()).isEqualTo("GOOGLE_APPLICATION_CREDENTIALS_JSON");
                });
    }

    private static Optional<CredentialSource.Found> found(Map<String, String> environment) {
        return new CredentialSource(
                        ContractContext.create().secrets(), new SecretRef("cloudrun/credentials"), environment::get)
                .find();
    }
}
