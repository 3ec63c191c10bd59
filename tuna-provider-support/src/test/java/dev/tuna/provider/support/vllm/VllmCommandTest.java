package dev.tuna.provider.support.vllm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.SecretRef;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VllmCommandTest {

    private static VllmCommand command(Engine engine) {
        return VllmCommand.builder(engine.spec()).build();
    }

    @Test
    @DisplayName("O-01: says everything that the request says, and nothing that current versions refuse")
    void saysWhatTheRequestSays() {
        VllmCommand command = VllmCommand.builder(Engine.plain()
                        .gpus(4)
                        .quantized("awq")
                        .arguments("--seed", "7")
                        .spec())
                .host("0.0.0.0")
                .port(8001)
                .shutdownTimeout(Duration.ofSeconds(100))
                .build();
        assertThat(command.words())
                .containsExactly(("vllm serve org/model --host 0.0.0.0 --port 8001 --served-model-name chat"
                                + " --max-model-len 8192 --tensor-parallel-size 4 --quantization awq"
                                + " --shutdown-timeout 100 --seed 7")
                        .split(" "));
        assertThat(command.arguments())
                .isEqualTo(command.words().subList(2, command.words().size()));
    }

    @Test
    void runsTheCurrentVersionUnlessToldOtherwise() {
        VllmCommand command = command(Engine.plain());
        assertThat(command.version()).isEqualTo(VllmVersion.CURRENT);
        assertThat(command.image()).isEqualTo("vllm/vllm-openai:v" + VllmVersion.CURRENT);
    }

    @ParameterizedTest(name = "{0}, older driver {1}: {2}")
    @CsvSource({
        "0.31.0,   false, v0.31.0",
        "v0.27.1,  false, v0.27.1",
        "0.31.0,   true,  v0.31.0-cu129",
        "0.19.0,   true,  v0.19.0",
        "0.32.0rc1,false, v0.32.0rc1",
    })
    void namesTheImageOfTheVersion(String version, boolean olderDriver, String tag) {
        VllmCommand.Builder builder =
                VllmCommand.builder(Engine.plain().version(version).spec());
        VllmCommand command = (olderDriver ? builder.olderDriver() : builder).build();
        assertThat(command.image()).isEqualTo("vllm/vllm-openai:" + tag);
    }

    @Test
    void leavesAnImageOfTheUsersOwn() {
        assertThat(command(Engine.plain().image("example/vllm:7")).image()).isEqualTo("example/vllm:7");
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"0.17.1, false", "0.18.0, true", "0.31.0, true", "0.40.0, true"})
    void finishesRequestsWhereTheVersionCan(String version, boolean can) {
        VllmCommand command = VllmCommand.builder(
                        Engine.plain().version(version).spec())
                .shutdownTimeout(Duration.ofSeconds(100))
                .build();
        assertThat(command.words().contains("--shutdown-timeout")).isEqualTo(can);
    }

    @ParameterizedTest(name = "{0}: half {1}")
    @CsvSource({"7.0, true", "7.5, true", "8.0, false", "8.9, false", "12.0, false", "'', false"})
    @DisplayName("O-02: computes in half precision where the GPU has no bfloat16")
    void computesInHalfPrecisionOnOldGpus(String capability, boolean half) {
        assertThat(command(Engine.plain().capability(capability)).words().contains("half"))
                .isEqualTo(half);
    }

    @Test
    void leavesTheTypeToTheUserIfTheGpuCanComputeWithIt() {
        assertThat(command(Engine.plain().capability("7.5").arguments("--dtype", "float32"))
                        .words())
                .containsSequence("--dtype", "float32")
                .doesNotContain("half");
        assertThatThrownBy(() -> command(Engine.plain().capability("7.5").arguments("--dtype=bfloat16")))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("--dtype bfloat16, which L4 cannot compute with; use half");
    }

    @Test
    void differsBetweenTiersOnlyInWhatBelongsToTheTier() {
        String[] shared = {"--chat-template", "/t.jinja", "--reasoning-parser", "qwen3", "--enable-auto-tool-choice"};
        List<String> cold = command(Engine.plain().fastBoot().arguments(shared)).words();
        List<String> steady = command(Engine.plain().arguments(shared)).words();
        assertThat(cold).containsOnlyOnce("--enforce-eager");
        assertThat(cold.stream().filter(word -> !word.equals("--enforce-eager")))
                .containsExactlyElementsOf(steady)
                .contains(shared);
    }

    @Test
    @DisplayName("E-16: secrets are environment variables, by reference, and never words")
    void keepsSecretsOutOfTheCommandLine() {
        VllmCommand command = command(Engine.plain());
        assertThat(command.environment())
                .isEqualTo(Map.of("VLLM_API_KEY", new SecretRef("engine-key"), "HF_TOKEN", new SecretRef("hf")));
        assertThat(command.words()).noneMatch(word -> word.contains("key") || word.contains("hf"));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "0.31.0|--disable-log-requests|is gone since 0.12.0; leave it out: requests are not logged unless",
                "0.31.0|--guided-decoding-backend xgrammar|is gone since 0.27.0; use --structured-outputs-config",
                "0.31.0|--swap_space=4|'--swap_space', which is gone since 0.27.0; leave it out",
                "0.31.0|--task embed|use --runner or --convert",
                "0.28.0|--sse-keep-alive-interval 5|came with 0.29.0; leave it out",
                "0.31.0|--nonsense|'--nonsense', which is no option of vllm serve",
                "0.31.0|--parser hermes|'--parser', which is no option of vllm serve",
                "0.31.0|--no-max-model-len|'--no-max-model-len', which is no option",
                "0.31.0|--port 9|'--port', which Tuna sets itself; leave it out: Tuna chooses the address",
                "0.31.0|-tp 2|'-tp', which Tuna sets itself; set tpSize",
                "0.31.0|--enforce-eager|set coldStartMode",
                "0.31.0|--no-enforce-eager|set coldStartMode",
                "0.31.0|--api-key abc|Tuna makes the key and passes it in VLLM_API_KEY",
                "0.31.0|--hf-token=abc|put the token into secrets as HF_TOKEN",
                "0.31.0|--enable-prefix-caching=false|write --enable-prefix-caching or --no-enable-prefix-caching",
                "0.31.0|--enable-prefix-caching false|'false', which belongs to no option",
                "0.31.0|--seed 1 2|'2', which belongs to no option",
            })
    void refusesWhatTheVersionOrTunaCannotHave(String version, String arguments, String message) {
        assertThatThrownBy(() -> command(Engine.plain().version(version).arguments(arguments.split(" "))))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageStartingWith("vLLM " + version + ": ")
                .hasMessageContaining(message)
                .hasMessageNotContaining("abc");
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "0.11.0|--disable-log-requests",
                "0.15.1|--swap-space 4",
                "0.31.0|--no-enable-prefix-caching --max_num_seqs=16 -O3",
                "0.31.0|--tool-call-parser hermes --chat-template-content-format string --cudagraph-metrics",
                "0.31.0|--allowed-origins * --max-num-scheduled-tokens 64 --numa-bind-cpus 0 1",
                "0.31.0|--compilation-config.mode 3 --lora-modules a=/a b=/b --seed -1",
                "0.32.0|--an-option-that-is-newer-than-the-table 3 4",
            })
    void acceptsWhatTheVersionHasOrMayHave(String version, String arguments) {
        assertThat(command(Engine.plain().version(version).arguments(arguments.split(" ")))
                        .words())
                .endsWith(arguments.split(" "));
    }

    @Test
    void takesValuesOfSeveralLines() {
        String template = "--chat-template={{ bos_token }}\n{% for message in messages %}\u2028{% endfor %}";
        assertThat(command(Engine.plain().arguments(template)).words()).endsWith(template);
    }

    @Test
    void leavesOptionsThatNobodyKnowsToAnImageOfTheUsersOwn() {
        assertThat(command(Engine.plain().image("example/vllm:7").arguments("--our-own"))
                        .words())
                .endsWith("--our-own");
    }

    @Test
    void reportsEveryProblemAtOnce() {
        assertThatThrownBy(() -> command(Engine.plain().arguments("--port", "1", "--task", "x", "--nonsense")))
                .isInstanceOfSatisfying(
                        ConfigurationException.class,
                        refusal -> assertThat(refusal.problems()).hasSize(3));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"latest", "0.9.2", "31", "''"})
    void refusesVersionsThatItCannotBuildFor(String version) {
        assertThatThrownBy(() -> command(Engine.plain().version(version)))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("engineVersion is '" + version + "'");
    }

    @Test
    void refusesAModelThatWouldBeReadAsAnOption() {
        assertThatThrownBy(() -> command(Engine.plain().model("--trust-remote-code")))
                .hasMessageContaining("must not begin with a hyphen");
    }
}
