package dev.tuna.provider.cloudrun;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.contract.ContractContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What would be sent. Covers P-31, E-16, E-17, F-03, F-04, F-08 to F-10, O-01 to O-03, S-04 and S-05. */
class PlanTest {

    private static final ServerlessSpec SPEC = Specs.of("chat");

    private static ServerlessPlan plan(ServerlessSpec spec) {
        ContractContext context = ContractContext.create().withSetting("project", "my-project");
        try (var cloud = new CloudRunCloud(context, variable -> null)) {
            return cloud.plan(spec);
        }
    }

    private static JsonNode service(ServerlessSpec spec) throws Exception {
        return ServicePlan.JSON.readTree(plan(spec).body()).path("service");
    }

    private static JsonNode container(ServerlessSpec spec) throws Exception {
        return service(spec).at("/template/containers/0");
    }

    private static List<String> texts(JsonNode list) {
        List<String> texts = new ArrayList<>();
        list.forEach(text -> texts.add(text.asText()));
        return texts;
    }

    private static ServerlessSpec with(String option, String value) {
        return Specs.with(SPEC, Map.of(option, value));
    }

    private static ServerlessSpec rtx() {
        return Specs.with(SPEC, Specs.on(SPEC.engine(), "RTX_PRO_6000", 1));
    }

    @Test
    @DisplayName(
            "P-31: one GPU, instance-based billing, no redundancy, one port, and a probe within what Cloud Run allows")
    void theUsualService() throws Exception {
        JsonNode service = service(SPEC);
        JsonNode template = service.path("template");
        JsonNode container = template.at("/containers/0");
        assertThat(service.path("invokerIamDisabled").asBoolean()).isFalse();
        assertThat(service.at("/labels/tuna-deployment").asText()).isEqualTo("chat");
        assertThat(service.at("/labels/tuna-owner").asText()).isNotEmpty();
        assertThat(template.at("/nodeSelector/accelerator").asText()).isEqualTo("nvidia-l4");
        assertThat(template.path("gpuZonalRedundancyDisabled").asBoolean()).isTrue();
        assertThat(container.at("/resources/limits/cpu").asText()).isEqualTo("8");
        assertThat(container.at("/resources/limits/memory").asText()).isEqualTo("32Gi");
        assertThat(container.at("/resources/limits").path("nvidia.com/gpu").asText())
                .isEqualTo("1");
        assertThat(container.at("/resources/cpuIdle").asBoolean(true)).isFalse();
        assertThat(container.at("/ports/0/containerPort").asInt()).isEqualTo(8000);
        JsonNode probe = container.path("startupProbe");
        assertThat(probe.path("failureThreshold").asInt()
                        * probe.path("periodSeconds").asInt())
                .isEqualTo(1800);
        assertThat(probe.path("periodSeconds").asInt()).isLessThanOrEqualTo(240);
        assertThat(probe.at("/httpGet/path").asText()).isEqualTo("/health");
    }

    @ParameterizedTest(name = "{0} s")
    @CsvSource({"60, 6", "599, 59", "1800, 180"})
    void theStartupLimitIsTheProbes(String seconds, int threshold) throws Exception {
        assertThat(container(with("startup_limit_seconds", seconds))
                        .at("/startupProbe/failureThreshold")
                        .asInt())
                .isEqualTo(threshold);
    }

    @Test
    @DisplayName("E-16, E-17: the token is in the environment and masked, not an argument, and goes to no mirror")
    void theTokenIsInTheEnvironment() throws Exception {
        JsonNode container = container(SPEC);
        assertThat(container.path("env").toString()).isEqualTo("[{\"name\":\"HF_TOKEN\",\"value\":\"***\"}]");
        assertThat(texts(container.path("args"))).noneMatch(word -> word.contains("token"));
        assertThat(plan(SPEC).body())
                .contains("\"HF_TOKEN\" : \"contract/model-token\"")
                .doesNotContain("HF_ENDPOINT", "VLLM_API_KEY");
    }

    @Test
    @DisplayName("O-01, O-03: the engine is that of all tiers, in the image that the hosts' driver can run")
    void theEngineFitsTheDriver() throws Exception {
        assertThat(container(SPEC).path("image").asText()).isEqualTo("vllm/vllm-openai:v0.31.0-cu129");
        assertThat(container(rtx()).path("image").asText()).isEqualTo("vllm/vllm-openai:v0.31.0");
        assertThat(texts(container(SPEC).path("command"))).containsExactly("vllm", "serve");
        assertThat(texts(container(SPEC).path("args")))
                .startsWith("contract/tiny", "--host", "0.0.0.0", "--port", "8000", "--served-model-name", "chat")
                .containsSequence("--shutdown-timeout", "8")
                .doesNotContain("--disable-log-requests");
    }

    @Test
    void imagesThatFindTheDriverTooOldCanBeHelped() throws Exception {
        assertThat(container(with("cuda_compatibility", "true")).path("env").toString())
                .contains("{\"name\":\"VLLM_ENABLE_CUDA_COMPATIBILITY\",\"value\":\"1\"}");
    }

    @Test
    @DisplayName("S-04, S-05, F-10: each key of the serverless half is sent")
    void scalingIsSent() throws Exception {
        ScalingPolicy.Serverless asked = ScalingPolicy.Serverless.builder()
                .concurrency(7)
                .timeout(Duration.ofMinutes(60))
                .workersMin(1)
                .workersMax(3)
                .scaledownWindow(Duration.ofMinutes(15))
                .build();
        JsonNode template = service(Specs.with(SPEC, asked)).path("template");
        assertThat(template.at("/scaling/minInstanceCount").asInt()).isEqualTo(1);
        assertThat(template.at("/scaling/maxInstanceCount").asInt()).isEqualTo(3);
        assertThat(template.path("maxInstanceRequestConcurrency").asInt()).isEqualTo(7);
        assertThat(template.path("timeout").asText()).isEqualTo("3600s");
        assertThat(plan(Specs.with(SPEC, asked)).adaptations())
                .noneMatch(text -> text.contains("idle instance"))
                .anyMatch(text -> text.contains("not by queue delay"));
        assertThat(plan(SPEC).adaptations())
                .as("a default that cannot be honoured")
                .anyMatch(text -> text.contains("up to 900 s"));
    }

    @Test
    void weightsAreReadFromABucket() throws Exception {
        ServerlessSpec spec = Specs.with(
                SPEC, Map.of("weights_bucket", "my-weights", "weights_path", "models/tiny", "network", "default"));
        JsonNode template = service(spec).path("template");
        assertThat(template.at("/volumes/0/gcs/bucket").asText()).isEqualTo("my-weights");
        assertThat(template.at("/containers/0/volumeMounts/0/mountPath").asText())
                .isEqualTo("/weights");
        assertThat(texts(template.at("/containers/0/args")))
                .startsWith("/weights/models/tiny")
                .containsSequence("--served-model-name", "chat");
        assertThat(template.at("/vpcAccess/networkInterfaces/0/network").asText())
                .isEqualTo("default");
    }

    @Test
    void valuesComeFromSecretManagerWhereThatIsAsked() throws Exception {
        ServerlessSpec plain = Specs.with(SPEC, Specs.secrets(SPEC.engine(), Map.of()));
        ServerlessSpec spec = Specs.with(plain, Map.of("secret_manager_env", "HF_TOKEN=hf-token, OTHER=name:3"));
        assertThat(container(spec).path("env").toString())
                .isEqualTo("[{\"name\":\"HF_TOKEN\",\"valueSource\":{\"secretKeyRef\":{\"secret\":\"hf-token\","
                        + "\"version\":\"latest\"}}},{\"name\":\"OTHER\",\"valueSource\":{\"secretKeyRef\":"
                        + "{\"secret\":\"name\",\"version\":\"3\"}}}]");
        assertThatThrownBy(() -> plan(with("secret_manager_env", "HF_TOKEN=hf-token")))
                .hasMessageContaining("'HF_TOKEN' is in secrets and in option secret_manager_env");
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "chat, chat-",
        "a123456789b123456789c123456789d123456789, a123456789b123456789c123456789d123456789-",
        "a123456789b123456789c123456789d123456789-r2, a123456789b123456789c123456789d-"
    })
    @DisplayName("F-14: every name that a deployment can have becomes one that Cloud Run takes")
    void namesFit(String deployment, String begin) {
        String name = Place.serviceName(deployment, "0123456789abcdef");
        assertThat(name)
                .startsWith(begin)
                .endsWith("-01234567")
                .matches("[a-z][a-z0-9-]*[a-z0-9]")
                .hasSizeLessThan(50)
                .isEqualTo(Place.serviceName(deployment, "0123456789abcdef"))
                .isNotEqualTo(Place.serviceName(deployment + "x", "0123456789abcdef"));
    }

    @ParameterizedTest(name = "{0}={1}: {2}")
    @CsvSource({
        "project, My Project, a project's id",
        "region, mars, a region such as us-east4",
        "access, public, iam or engine_key",
        "invoker_service_account, me@example.com, a service account such as",
        "cpu, 2, 4 or more with L4",
        "memory_gib, lots, 'a whole number, 1 to 999'",
        "zonal_redundancy, maybe, true or false",
        "startup_limit_seconds, 3600, 'a whole number, 60 to 1800'",
        "weights_path, models, set without weights_bucket",
        "secret_manager_env, HF_TOKEN, a list such as",
        "api_url, http://x, is a setting of the installation",
        "flashboot, off, known are project"
    })
    void wrongOptionsAreRefusedWithWhatIsAllowed(String option, String value, String said) {
        assertThatThrownBy(() -> plan(with(option, value)))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining(option)
                .hasMessageContaining(said);
    }

    @Test
    @DisplayName("F-03, F-04, F-08, F-09: what Cloud Run has not is refused, all of it at once")
    void everythingWrongIsToldAtOnce() {
        ServerlessSpec wrong = Specs.in(Specs.with(SPEC, Specs.on(SPEC.engine(), "L4", 2)), "eu-central-1");
        assertThatThrownBy(() -> plan(wrong))
                .isInstanceOfSatisfying(
                        ConfigurationException.class,
                        e -> assertThat(e.problems()).hasSize(2))
                .hasMessageContaining("gpuCount is 2")
                .hasMessageContaining("region is 'eu-central-1' but Cloud Run has L4 in us-east4");
        assertThat(plan(Specs.in(with("any_region", "true"), "northamerica-south1"))
                        .resource()
                        .id())
                .contains("northamerica-south1");
    }

    @Test
    void aVariableThatCloudRunSetsItselfIsRefused() {
        ServerlessSpec spec =
                Specs.with(SPEC, Specs.secrets(SPEC.engine(), Map.of("PORT", new SecretRef("contract/model-token"))));
        assertThatThrownBy(() -> plan(spec)).hasMessageContaining("'PORT' cannot be set");
    }

    @Test
    void aPlanOfAnotherProviderIsNotRead() {
        assertThatThrownBy(() -> ServicePlan.read("{\"create\":{}}"))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("plan again");
        assertThatThrownBy(() -> Place.of("chat")).hasMessageContaining("projects/P/locations/R/services/S");
    }
}
