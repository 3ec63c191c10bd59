package dev.tuna.provider.baseten;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.ServerlessPlan;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What a spec becomes. */
class ModelPlannerTest {

    private static final SecretRef TOKEN = new SecretRef("team/hf");
    private static final Specs CHAT = Specs.of("chat");

    @Test
    @DisplayName(
            "P-21, O-01: a server of its own with vLLM's image, weights mounted before it starts, on the machine named")
    void theConfigurationRunsVllmOnMountedWeights() {
        JsonNode config = Plans.config(CHAT);
        assertThat(config.path("model_name").asText()).isEqualTo("chat-own12345");
        assertThat(config.path("base_image").path("image").asText()).startsWith("vllm/vllm-openai:v");
        JsonNode server = config.path("docker_server");
        assertThat(server.path("start_command").asText())
                .startsWith("vllm serve /models/weights ")
                .contains(" --port 8000 ", " --served-model-name acme/tiny ", " --max-model-len 4096 ")
                .doesNotContain("api-key", "disable-log-requests");
        assertThat(server.path("server_port").asInt()).isEqualTo(8000);
        assertThat(server.path("predict_endpoint").asText()).isEqualTo("/v1/chat/completions");
        assertThat(server.path("readiness_endpoint").asText()).isEqualTo("/health");
        JsonNode weights = config.path("weights").path(0);
        assertThat(weights.path("source").asText()).isEqualTo("hf://acme/tiny");
        assertThat(weights.has("auth")).isFalse();
        assertThat(config.path("resources").path("instance_type").asText()).isEqualTo("L4:4x16");
    }

    @Test
    @DisplayName("P-21: every file that an engine may need is mounted, tokenizers without JSON among them")
    void onlyWhatNoEngineReadsIsLeftOut() {
        JsonNode weights = Plans.config(CHAT).path("weights").path(0);
        assertThat(weights.has("allow_patterns")).isFalse();
        assertThat(weights.path("ignore_patterns").toString())
                .contains("*.md", "*.pth")
                .doesNotContain("*.txt", "*.model", "*.jinja", "*.tiktoken", "*.bin", "*.json");
        assertThat(Plans.config(CHAT.option("weights_ignore", "*.bin, *.gguf"))
                        .path("weights")
                        .path(0)
                        .path("ignore_patterns")
                        .toString())
                .isEqualTo("[\"*.bin\",\"*.gguf\"]");
    }

    @Test
    @DisplayName("O-02: cards without bfloat16 compute in half precision")
    void oldCardsComputeInHalfPrecision() {
        assertThat(command(CHAT.on(1, "T4"))).contains(" --dtype half");
        assertThat(command(CHAT)).doesNotContain("--dtype");
    }

    @ParameterizedTest
    @DisplayName("F-03, F-04: the machine has as many cards as asked for, and the engine uses them")
    @CsvSource({"1, L4, L4:4x16", "2, L4, L4:2x24x96", "4, L4, L4:4x48x192", "1, T4, T4x8x32", "2, H100, H100:2"})
    void theMachineHasTheCards(int count, String gpu, String machine) {
        Specs asked = CHAT.on(count, gpu);
        assertThat(Plans.config(asked).path("resources").path("instance_type").asText())
                .isEqualTo(machine);
        assertThat(command(asked)).contains(" --tensor-parallel-size " + count + " ");
        assertThat(Plans.of(asked).summary()).contains(machine, count + " x " + gpu);
    }

    @Test
    @DisplayName("S-04, S-05, F-09, F-10: each key of the serverless half is sent")
    void scalingKeysAreSent() {
        Specs asked = CHAT.scaling(scaling -> scaling.concurrency(7)
                .scaledownWindow(Duration.ofSeconds(77))
                .timeout(Duration.ofSeconds(88))
                .workersMin(2)
                .workersMax(6));
        JsonNode settings = Plans.body(asked).path("settings");
        assertThat(settings.path("autoscaling_settings").toString())
                .isEqualTo("{\"min_replica\":2,\"max_replica\":6,\"concurrency_target\":7,"
                        + "\"target_utilization_percentage\":70,\"autoscaling_window\":60,\"scale_down_delay\":77}");
        assertThat(settings.path("request_backpressure_settings").path("policy").asText())
                .isEqualTo("QUEUE_ON_FULL");
        assertThat(Plans.config(asked)
                        .path("runtime")
                        .path("predict_concurrency")
                        .asInt())
                .isEqualTo(7);
        assertThat(Plans.body(asked)
                        .path("deployment")
                        .path("labels")
                        .path(Labels.TIMEOUT)
                        .asText())
                .isEqualTo("88");
    }

    static Stream<Arguments> impossible() {
        return Stream.of(
                Arguments.of(CHAT.on(1, "A40"), "gpu is 'A40' but Baseten has A100_80GB, A10G, B200"),
                Arguments.of(CHAT.on(3, "L4"), "GPU count is 3 but a machine of Baseten has one of [1, 2, 4] x L4"),
                Arguments.of(CHAT.region("us-east-1"), "serverless region is 'us-east-1'"),
                Arguments.of(CHAT.scaling(s -> s.timeout(Duration.ofSeconds(1201))), "ends requests after 1200 s"),
                Arguments.of(CHAT.scaling(s -> s.scaledownWindow(Duration.ofSeconds(3601))), "takes 0 s to 3600 s"),
                Arguments.of(CHAT.scaling(s -> s.scalerValue(9)), "serverless.scaler_value is 9"),
                Arguments.of(CHAT.option("instance_type", "H100"), "which has 1 x H100, but 1 x L4"),
                Arguments.of(CHAT.option("target_utilization", "0"), "must be 1 to 100 percent"),
                Arguments.of(CHAT.option("backpressure", "drop"), "must be queue or reject"),
                Arguments.of(CHAT.option("api_url", "http://x"), "is a setting of the installation"),
                Arguments.of(CHAT.option("registry_secret", "s"), "set if and only if registry_secret is"),
                Arguments.of(CHAT.option("weights_source", "ftp://x"), "a URI such as s3://bucket/path"),
                Arguments.of(CHAT.arguments("--chat-template", "100%"), "has a '%' in it"),
                Arguments.of(CHAT.arguments("--disable-log-requests"), "gone since 0.12"));
    }

    @ParameterizedTest
    @MethodSource("impossible")
    @DisplayName("F-08, S-04: what the user set and Baseten cannot honour is refused with what it takes")
    void whatCannotBeHonouredIsRefused(Specs asked, String why) {
        assertThatThrownBy(() -> Plans.of(asked))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining(why);
    }

    @Test
    void everythingThatIsWrongIsToldAtOnce() {
        assertThatThrownBy(() -> Plans.of(CHAT.on(3, "L4").region("mars").scaling(s -> s.scalerValue(9))))
                .hasMessageContaining("GPU count is 3")
                .hasMessageContaining("region is 'mars'")
                .hasMessageContaining("scaler_value is 9");
    }

    @Test
    @DisplayName("F-15: Baseten demands its key even of a public endpoint, which the plan says")
    void aPublicEndpointIsStillGuarded() {
        assertThat(Plans.of(CHAT.open()).adaptations()).anyMatch(each -> each.contains("always demands an API key"));
        assertThat(Plans.of(CHAT).adaptations()).noneMatch(each -> each.contains("API key"));
    }

    @Test
    @DisplayName(
            "E-16: the token for a gated model is what its weights are fetched with, and in the engine's environment")
    void aTokenGoesToTheWeightsAndTheEngine() {
        Specs gated = CHAT.secret("HF_TOKEN", TOKEN);
        String secret = "tuna_own123456789_chat_HF_TOKEN";
        JsonNode config = Plans.config(gated);
        assertThat(config.path("weights").path(0).path("auth").toString())
                .isEqualTo("{\"auth_method\":\"CUSTOM_SECRET\",\"auth_secret_name\":\"" + secret + "\"}");
        assertThat(config.path("secrets").toString()).isEqualTo("{\"" + secret + "\":null}");
        assertThat(command(gated))
                .startsWith("sh -c 'export HF_TOKEN=\"$(cat /secrets/" + secret + ")\" && exec vllm serve ");
        ModelPlan plan = ModelPlan.read(Plans.of(gated).body());
        assertThat(plan.secrets()).containsExactly(Map.entry(secret, TOKEN));
    }

    @Test
    void aTokenThatTheWorkspaceHasIsUsedAsItIs() {
        Specs gated = CHAT.secret("HF_TOKEN", TOKEN).option("hf_secret", "hf_access_token");
        JsonNode config = Plans.config(gated);
        assertThat(config.path("weights")
                        .path(0)
                        .path("auth")
                        .path("auth_secret_name")
                        .asText())
                .isEqualTo("hf_access_token");
        assertThat(config.path("secrets").toString()).isEqualTo("{\"hf_access_token\":null}");
        assertThat(ModelPlan.read(Plans.of(gated).body()).secrets()).isEmpty();
    }

    @Test
    void otherSecretsAreFilesToo() {
        Specs asked = CHAT.secret("AWS_SECRET_ACCESS_KEY", TOKEN);
        assertThat(command(asked)).contains("export AWS_SECRET_ACCESS_KEY=");
        assertThat(Plans.config(asked).path("weights").path(0).has("auth")).isFalse();
    }

    @Test
    void aRevisionIsThatOfTheWeightsHoweverItIsSaid() {
        for (Specs pinned : Stream.of(
                        CHAT.option("revision", "v2"),
                        CHAT.arguments("--revision", "v2"),
                        CHAT.arguments("--revision=v2"))
                .toList()) {
            assertThat(Plans.config(pinned)
                            .path("weights")
                            .path(0)
                            .path("source")
                            .asText())
                    .isEqualTo("hf://acme/tiny@v2");
            assertThat(command(pinned)).doesNotContain("revision");
        }
        assertThat(command(CHAT.arguments("--revision", "v2", "--seed", "1").option("weights", "download")))
                .startsWith("vllm serve acme/tiny ")
                .endsWith(" --seed 1 --revision v2");
    }

    @Test
    void weightsMayComeFromElsewhereOrBeDownloadedOrBeInTheImage() {
        assertThat(Plans.config(CHAT.option("weights_source", "s3://bucket/tiny"))
                        .path("weights")
                        .path(0)
                        .path("source")
                        .asText())
                .isEqualTo("s3://bucket/tiny");
        assertThat(Plans.config(CHAT.option("weights", "download")).has("weights"))
                .isFalse();
        assertThat(Plans.config(CHAT.model("/opt/tiny")).has("weights")).isFalse();
        assertThat(command(CHAT.model("/opt/tiny"))).startsWith("vllm serve /opt/tiny ");
    }

    @Test
    void aLargerMachineReachesAnEnvironmentThatIsThere() {
        JsonNode deployment = Plans.body(CHAT).path("deployment");
        assertThat(deployment.path("preserve_env_instance_type").asBoolean(true))
                .isFalse();
        assertThat(deployment.path("environment_name").asText()).isEqualTo("production");
    }

    @Test
    void onlyWhatIsPushedMakesAnotherFingerprint() {
        String before = fingerprint(CHAT);
        assertThat(fingerprint(CHAT.scaling(s -> s.workersMax(9)))).isEqualTo(before);
        assertThat(fingerprint(CHAT.scaling(s -> s.timeout(Duration.ofSeconds(5)))))
                .isNotEqualTo(before);
        assertThat(fingerprint(CHAT.arguments("--seed", "1"))).isNotEqualTo(before);
        assertThat(fingerprint(CHAT.on(2, "L4"))).isNotEqualTo(before);
    }

    @Test
    void aPlanSurvivesAStoreAndWhatIsNoneIsRefused() {
        ServerlessPlan plan = Plans.of(CHAT.secret("HF_TOKEN", TOKEN));
        assertThat(ModelPlan.read(plan.body()).text()).isEqualTo(plan.body());
        assertThatThrownBy(() -> ModelPlan.read("{\"model\":\"x\"}")).hasMessageContaining("plan again");
        assertThatThrownBy(() -> ModelPlan.read("nonsense")).hasMessageContaining("plan again");
    }

    @Test
    void labelsAreShortAndPlain() {
        Specs asked = CHAT.secret("HF_TOKEN", TOKEN);
        Plans.body(asked)
                .path("deployment")
                .path("labels")
                .properties()
                .forEach(label -> assertThat(label.getValue().asText())
                        .as(label.getKey())
                        .matches("[a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?"));
    }

    @Test
    void anOlderDriverGetsAnImageThatItCanRun() {
        assertThat(Plans.config(CHAT.option("older_driver", "true"))
                        .path("base_image")
                        .path("image")
                        .asText())
                .endsWith("-cu129");
    }

    @Test
    void requestsAreRefusedOnlyIfAskedFor() {
        assertThat(Plans.body(CHAT.option("backpressure", "reject"))
                        .path("settings")
                        .path("request_backpressure_settings")
                        .path("policy")
                        .asText())
                .isEqualTo("REJECT_ON_FULL");
    }

    @Test
    void aPrivateImageIsFetchedWithASecretOfTheWorkspace() {
        var asked = new Specs(
                "chat",
                "acme/tiny",
                "L4",
                1,
                List.of(),
                Map.of(),
                CHAT.scaling(),
                Optional.empty(),
                false,
                Map.of("registry", "ghcr.io", "registry_secret", "ghcr"));
        assertThat(Plans.config(asked).path("base_image").path("docker_auth").toString())
                .isEqualTo("{\"auth_method\":\"REGISTRY_SECRET\",\"secret_name\":\"ghcr\",\"registry\":\"ghcr.io\"}");
    }

    private static String command(Specs asked) {
        return Plans.config(asked).path("docker_server").path("start_command").asText();
    }

    private static String fingerprint(Specs asked) {
        return ModelPlan.read(Plans.of(asked).body()).fingerprint();
    }
}
