package dev.tuna.provider.modal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is planned, and what is refused. */
class AppPlannerTest {

    private static final String OWNER = "0123456789abcdef";

    private static ServerlessPlan plan(ServerlessSpec spec) {
        return AppPlanner.plan(spec, ModalOptions.of(Map.of(), spec.options()), OWNER);
    }

    private static JsonNode values(ServerlessSpec spec) throws Exception {
        return Scripts.values(plan(spec));
    }

    @Test
    @DisplayName("P-01, O-01: the stock image of the shared version, the shared command, a cache of its own, no shell")
    void runsTheSharedCommandInTheStockImage() throws Exception {
        JsonNode values = values(Specs.of("chat"));
        assertThat(values.path("image").asText()).matches("vllm/vllm-openai:v\\d+\\.\\d+\\.\\d+");
        assertThat(values.path("command"))
                .extracting(JsonNode::asText)
                .startsWith("vllm", "serve", "tiny/model", "--host", "0.0.0.0", "--port", "8000")
                .contains("--served-model-name", "tiny", "--max-model-len", "4096");
        assertThat(values.path("volume").asText()).isEqualTo("tuna_0123456789abcdef_chat");
        assertThat(values.path("environment").path("HF_HOME").asText())
                .startsWith(values.path("cache").asText());
        assertThat(values.path("function").path("startup_timeout").asInt())
                .as("longer than the web server's, else the engine's start would be cut short")
                .isGreaterThan(values.path("web_server").path("startup_timeout").asInt());
    }

    @Test
    @DisplayName(
            "S-04, S-05, F-09, F-10: each key of the serverless half is sent, or refused if it was set and cannot be honoured")
    void scalingKeysAreSentOrRefused() throws Exception {
        JsonNode values = values(Specs.scaled(
                "chat",
                scaling -> scaling.concurrency(3)
                        .scaledownWindow(Duration.ofSeconds(77))
                        .timeout(Duration.ofSeconds(88))
                        .workersMin(1)
                        .workersMax(6)));
        JsonNode function = values.path("function");
        assertThat(function.path("min_containers").asInt()).isEqualTo(1);
        assertThat(function.path("max_containers").asInt()).isEqualTo(6);
        assertThat(function.path("scaledown_window").asInt()).isEqualTo(77);
        assertThat(function.path("timeout").asInt()).isEqualTo(88);
        assertThat(values.path("concurrent").path("max_inputs").asInt()).isEqualTo(3);
        ServerlessSpec delayed = Specs.scaled("chat", scaling -> scaling.scalerValue(9));
        assertThatThrownBy(() -> plan(delayed)).hasMessageContaining("serverless.scaler_value is 9");
    }

    @ParameterizedTest(name = "{0} x {1} is {2}")
    @DisplayName("F-03: as many GPUs as were asked for, by Modal's names")
    @CsvSource({
        "T4,1,T4",
        "L4,4,L4:4",
        "A10G,2,A10:2",
        "A100_40GB,1,A100-40GB",
        "A100_80GB,8,A100-80GB:8",
        "RTX_PRO_6000,1,RTX-PRO-6000",
        "h100,8,H100:8",
        "B200,1,B200"
    })
    void gpusHaveModalsNames(String gpu, int count, String modal) throws Exception {
        ServerlessSpec spec =
                Specs.of("chat", Specs.engine(gpu, count), scaling -> scaling, Optional.empty(), false, Map.of());
        assertThat(values(spec).path("function").path("gpu").asText()).isEqualTo(modal);
        assertThat(plan(spec).body().replaceAll("\\s", "")).contains("\"tag\":\"tuna1.");
        assertThat(AppPlan.read(plan(spec).body()).tag().text().length()).isLessThanOrEqualTo(VersionTag.LONGEST);
    }

    @Test
    void whatModalHasNotIsNamedWithWhatItHas() {
        assertThatThrownBy(() -> plan(engine("RTX4090", 1)))
                .hasMessageContaining("RTX4090")
                .hasMessageContaining("L40S");
        assertThatThrownBy(() -> plan(engine("A10G", 8))).hasMessageContaining("at most 4 x A10G");
        assertThatThrownBy(() -> plan(Specs.of("x".repeat(43))))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("room for 42 characters");
        assertThatThrownBy(() -> plan(Specs.scaled("chat", scaling -> scaling.scaledownWindow(Duration.ofHours(1)))))
                .hasMessageContaining("3600 s but Modal takes 2 s to 1200 s");
        assertThatThrownBy(() -> plan(Specs.scaled("chat", scaling -> scaling.timeout(Duration.ofDays(2)))))
                .hasMessageContaining("172800 s but Modal takes 1 s to 86400 s");
        assertThatThrownBy(() -> plan(Specs.scaled("chat", scaling -> scaling.workersMax(4001))))
                .hasMessageContaining("4000");
        assertThatThrownBy(() -> plan(Specs.with("chat", Map.of("environment", "x"))))
                .hasMessageContaining("a setting of the installation");
        assertThatThrownBy(() -> plan(Specs.with("chat", Map.of("cpu", "many", "add_python", "2.7"))))
                .hasMessageContaining("cpu is 'many'")
                .hasMessageContaining("add_python is '2.7'");
    }

    @Test
    void everyFaultIsNamedOnce() {
        ServerlessSpec spec = Specs.of(
                "chat",
                Specs.engine("RTX4090", 1),
                scaling -> scaling.timeout(Duration.ofDays(2)),
                Optional.empty(),
                false,
                Map.of());
        assertThatThrownBy(() -> plan(spec))
                .isInstanceOfSatisfying(
                        ConfigurationException.class,
                        refused -> assertThat(refused.problems()).hasSize(2).doesNotHaveDuplicates());
    }

    @Test
    @DisplayName("F-08: the serverless region is Modal's, and costs what Modal says")
    void regionsAreSentAndPriced() throws Exception {
        ServerlessSpec spec = Specs.of(
                "chat",
                Specs.engine("L4", 1),
                scaling -> scaling,
                Optional.of("us-east"),
                false,
                Map.of("cloud", "aws", "cpu", "4", "memory_mib", "16384"));
        JsonNode function = values(spec).path("function");
        assertThat(function.path("region").asText()).isEqualTo("us-east");
        assertThat(function.path("cloud").asText()).isEqualTo("aws");
        assertThat(function.path("cpu").asInt()).isEqualTo(4);
        assertThat(function.path("memory").asInt()).isEqualTo(16384);
        assertThat(AppPlan.read(plan(spec).body()).tag().place()).isEqualTo(Place.NARROW);
        assertThat(GpuTable.BUILT_IN.usdPerHour("L4", 2, Place.NARROW).orElseThrow())
                .isEqualByComparingTo("2.7972");
    }

    @Test
    @DisplayName("P-05, F-15: nobody is let in without a token unless that was asked for")
    void accessIsGuardedUnlessPublicAccessWasAskedFor() throws Exception {
        JsonNode guarded = values(Specs.of("chat"));
        assertThat(guarded.path("web_server").path("requires_proxy_auth").asBoolean())
                .isTrue();
        assertThat(guarded.path("secrets")).extracting(JsonNode::asText).containsExactly("HF_TOKEN");
        JsonNode keyed = values(Specs.with("chat", Map.of("access", "engine_key")));
        assertThat(keyed.path("web_server").path("requires_proxy_auth").asBoolean())
                .isFalse();
        assertThat(keyed.path("secrets")).extracting(JsonNode::asText).containsExactly("HF_TOKEN", "VLLM_API_KEY");
        JsonNode open =
                values(Specs.of("chat", Specs.engine("L4", 1), scaling -> scaling, Optional.empty(), true, Map.of()));
        assertThat(open.path("web_server").path("requires_proxy_auth").asBoolean())
                .isFalse();
        assertThat(open.path("secrets")).extracting(JsonNode::asText).containsExactly("HF_TOKEN");
        ServerlessSpec both = Specs.of(
                "chat",
                Specs.engine("L4", 1),
                scaling -> scaling,
                Optional.empty(),
                true,
                Map.of("access", "proxy_token"));
        assertThatThrownBy(() -> plan(both)).hasMessageContaining("leave one of them out");
    }

    @Test
    @DisplayName("O-02, F-19, F-11: old GPUs get half precision; quantization and fast boot go to the engine")
    void theEngineGetsWhatItsGpuNeeds() throws Exception {
        EngineSpec t4 = Specs.engine("T4", 1);
        EngineSpec all = new EngineSpec(
                t4.model(),
                t4.servedModelName(),
                "T4",
                t4.computeCapability(),
                1,
                1,
                2048,
                Optional.of("awq"),
                true,
                Optional.of("0.30.0"),
                List.of("--max-num-seqs", "8"),
                Optional.empty(),
                t4.apiKey(),
                t4.secrets());
        JsonNode values = values(Specs.of("chat", all, scaling -> scaling, Optional.empty(), false, Map.of()));
        assertThat(values.path("command"))
                .extracting(JsonNode::asText)
                .containsSubsequence("--quantization", "awq")
                .containsSubsequence("--dtype", "half")
                .contains("--enforce-eager")
                .endsWith("--max-num-seqs", "8");
        assertThat(values.path("image").asText()).isEqualTo("vllm/vllm-openai:v0.30.0");
    }

    @Test
    @DisplayName("C-10: a volume of the user's own is used and not removed, one of the deployment's own is")
    void aVolumeOfTheUsersOwnIsNotTunas() throws Exception {
        ServerlessPlan plan = plan(Specs.with("chat", Map.of("cache_volume", "our-weights")));
        assertThat(Scripts.values(plan).path("volume").asText()).isEqualTo("our-weights");
        assertThat(AppPlan.read(plan.body()).volume()).isEmpty();
        assertThat(AppPlan.read(plan(Specs.of("chat")).body()).volume()).contains("tuna_0123456789abcdef_chat");
    }

    @Test
    void equalSpecsHaveEqualTagsAndOthersHaveOthers() {
        VersionTag tag = AppPlan.read(plan(Specs.of("chat")).body()).tag();
        assertThat(AppPlan.read(plan(Specs.of("chat")).body()).tag()).isEqualTo(tag);
        assertThat(VersionTag.parse(tag.text())).contains(tag);
        assertThat(AppPlan.read(plan(Specs.scaled("chat", scaling -> scaling.workersMin(1)))
                                .body())
                        .tag()
                        .digest())
                .isNotEqualTo(tag.digest());
        assertThat(VersionTag.parse("latest")).isEmpty();
    }

    @Test
    void aPlanOfSomebodyElseIsRefused() {
        assertThatThrownBy(() -> AppPlan.read("{\"create\":{}}")).hasMessageContaining("plan again");
        assertThatThrownBy(() -> AppPlan.read("no json")).hasMessageContaining("plan again");
    }

    private static ServerlessSpec engine(String gpu, int count) {
        return Specs.of("chat", Specs.engine(gpu, count), scaling -> scaling, Optional.empty(), false, Map.of());
    }
}
