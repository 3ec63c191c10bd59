package dev.tuna.provider.runpod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.testkit.contract.ContractContext;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What would be sent. Nobody is asked: the table of GPUs is the built-in one. */
class PlanTest {

    private final ServerlessCloud cloud = new RunPodProvider().open(ContractContext.create());
    private final Specs specs = Specs.named("tuna-a");

    @AfterEach
    void close() {
        cloud.close();
    }

    private JsonNode create(Specs asked) {
        return EndpointPlan.read(cloud.plan(asked.spec()).body()).create();
    }

    private String refusal(Specs asked) {
        return String.valueOf(catchRefusal(asked).getMessage());
    }

    private ConfigurationException catchRefusal(Specs asked) {
        try {
            cloud.plan(asked.spec());
        } catch (ConfigurationException e) {
            return e;
        }
        throw new AssertionError("nothing was refused");
    }

    @Test
    @DisplayName(
            "P-11, O-01: a load-balancing endpoint runs the current stock vLLM with the words of the shared command")
    void stockEngine() {
        JsonNode create = create(specs.arguments("--enable-prefix-caching").quantization("fp8"));
        assertThat(create.path("type").asText()).isEqualTo("LOAD_BALANCER");
        assertThat(create.path("image").asText()).isEqualTo("vllm/vllm-openai:v0.31.0");
        assertThat(create.path("args").asText())
                .isEqualTo("contract/tiny --host 0.0.0.0 --port 8000 --served-model-name tuna-a --max-model-len 4096"
                        + " --tensor-parallel-size 1 --quantization fp8 --shutdown-timeout 30"
                        + " --enable-prefix-caching");
        assertThat(create.path("ports")).extracting(JsonNode::asText).containsExactly("8000/http");
        assertThat(create.at("/env/PORT").asText()).isEqualTo("8000");
        assertThat(create.at("/env/PORT_HEALTH").asText()).isEqualTo("8000");
        assertThat(create.at("/gpu/minCudaVersion").asText()).isEqualTo("13.0");
    }

    @Test
    @DisplayName("images that begin with another program get the model by name")
    void olderImages() {
        assertThat(create(specs.version("0.11.0")).path("args").asText()).startsWith("--model contract/tiny --host");
        assertThat(create(specs.version("0.19.1")).path("args").asText()).startsWith("contract/tiny --host");
    }

    @Test
    @DisplayName("the key of the engine stays here: RunPod guards the endpoint, and a request has room for one key")
    void noEngineKey() {
        assertThat(create(specs).path("env").has("VLLM_API_KEY")).isFalse();
    }

    @Test
    @DisplayName("fast boot skips CUDA graphs and turns FlashBoot on, which an option may change")
    void fastBoot() {
        assertThat(create(specs.fast()).path("args").asText()).contains("--enforce-eager");
        assertThat(create(specs.fast()).path("flashboot").asText()).isEqualTo("FLASHBOOT");
        assertThat(create(specs.fast().option("flashboot", "off"))
                        .path("flashboot")
                        .asText())
                .isEqualTo("OFF");
        assertThat(create(specs).path("args").asText()).doesNotContain("--enforce-eager");
        assertThat(create(specs).path("flashboot").asText()).isEqualTo("OFF");
    }

    @ParameterizedTest(name = "vLLM {0} and min_cuda {1}: {2} on CUDA {3}")
    @CsvSource({
        "0.31.0, '', vllm/vllm-openai:v0.31.0, 13.0",
        "0.31.0, 12.9, vllm/vllm-openai:v0.31.0-cu129, 12.9",
        "0.31.0, 13.1, vllm/vllm-openai:v0.31.0, 13.1",
        "0.19.1, '', vllm/vllm-openai:v0.19.1, 12.8",
        "0.19.1, 12.9, vllm/vllm-openai:v0.19.1, 12.9"
    })
    @DisplayName("the image and the CUDA version of its hosts belong together")
    void imageAndCuda(String version, String cuda, String image, String minCuda) {
        JsonNode create = create(specs.version(version).option("min_cuda", cuda));
        assertThat(create.path("image").asText()).isEqualTo(image);
        assertThat(create.at("/gpu/minCudaVersion").asText()).isEqualTo(minCuda);
    }

    @Test
    void hostsTooOldForTheImageAreRefused() {
        assertThat(refusal(specs.option("min_cuda", "12.4")))
                .contains("min_cuda is 12.4", "v0.31.0-cu129", "needs 12.9");
        assertThat(create(specs.image("me/vllm:1").option("min_cuda", "12.4"))
                        .at("/gpu/minCudaVersion")
                        .asText())
                .as("an image of the user's own")
                .isEqualTo("12.4");
    }

    @Test
    @DisplayName("O-03, O-04: a queue endpoint runs the worker released with the version asked for, and no other")
    void queueWorker() {
        JsonNode create = create(Specs.queued("tuna-a").quantization("awq").arguments("--enable-prefix-caching"));
        assertThat(create.path("type").asText()).isEqualTo("QUEUE");
        assertThat(create.path("image").asText()).isEqualTo("runpod/worker-v1-vllm:v2.25.2");
        JsonNode env = create.path("env");
        assertThat(env.path("MODEL_NAME").asText()).isEqualTo("contract/tiny");
        assertThat(env.path("OPENAI_SERVED_MODEL_NAME_OVERRIDE").asText()).isEqualTo("tuna-a");
        assertThat(env.path("MAX_MODEL_LEN").asText()).isEqualTo("4096");
        assertThat(env.path("TENSOR_PARALLEL_SIZE").asText()).isEqualTo("1");
        assertThat(env.path("MAX_CONCURRENCY").asText()).isEqualTo("32");
        assertThat(env.path("QUANTIZATION").asText()).isEqualTo("awq");
        assertThat(env.path("VLLM_EXTRA_ARGS").asText()).isEqualTo("--enable-prefix-caching");
        assertThat(env.has("DISABLE_LOG_REQUESTS"))
                .as("what the worker no longer knows")
                .isFalse();
        assertThat(create.has("args")).isFalse();
    }

    @Test
    @DisplayName("a queue worker cannot run what other tiers run by default, and says which versions it can")
    void queueNeedsAVersion() {
        String refusal = refusal(specs.option("endpoint_type", "queue"));
        assertThat(refusal).contains("vLLM is 0.31.0 by default", "0.27.1", "0.16.0", "engineVersion");
        assertThat(refusal(Specs.queued("tuna-a").version("0.25.0"))).contains("vLLM is 0.25.0 but");
    }

    @Test
    @DisplayName("E-16 the Hugging Face token reaches the worker under the name under which it is not printed")
    void huggingFaceToken() {
        ServerlessPlan balanced = cloud.plan(specs.spec());
        ServerlessPlan queued = cloud.plan(Specs.queued("tuna-a").spec());
        assertThat(EndpointPlan.read(balanced.body()).secrets())
                .isEqualTo(Map.of("HF_TOKEN", ContractContext.MODEL_TOKEN));
        assertThat(EndpointPlan.read(queued.body()).secrets())
                .isEqualTo(Map.of("HUGGING_FACE_HUB_TOKEN", ContractContext.MODEL_TOKEN));
        assertThat(queued.adaptations()).anyMatch(text -> text.contains("HUGGING_FACE_HUB_TOKEN"));
    }

    @Test
    void aSecretCannotTakeThePlaceOfWhatTheEndpointNeeds() {
        assertThat(refusal(specs.secret("PORT", new SecretRef("x")))).contains("secret 'PORT'");
    }

    @Test
    @DisplayName(
            "arguments that this vLLM has not got, or that Tuna sets, or that cannot be passed on are all named at once")
    void wrongArguments() {
        ConfigurationException refusal =
                catchRefusal(specs.arguments("--swap-space", "4", "--port", "9", "--chat-template", "{{ a b }}"));
        assertThat(refusal.problems())
                .anyMatch(problem -> problem.contains("--swap-space"))
                .anyMatch(problem -> problem.contains("--port"));
        assertThat(refusal(specs.arguments("--chat-template", "{{ a b }}"))).contains("'{{ a b }}'", "config file");
        assertThat(refusal(Specs.queued("tuna-a").arguments("--chat-template", "a b")))
                .contains("'a b'");
    }

    @Test
    @DisplayName("P-12 the pool is narrowed to the card asked for, and the disk grows with its memory")
    void poolAndDisk() {
        JsonNode create = create(specs.gpu("L40S", 2));
        assertThat(create.at("/gpu/pools")).extracting(JsonNode::asText).containsExactly("ADA_48_PRO");
        assertThat(create.at("/gpu/excludedTypes"))
                .extracting(JsonNode::asText)
                .containsExactly("NVIDIA L40", "NVIDIA RTX 6000 Ada Generation");
        assertThat(create.at("/gpu/count").asInt()).isEqualTo(2);
        assertThat(create.path("args").asText()).contains("--tensor-parallel-size 2");
        assertThat(create.path("disk").asInt()).isEqualTo(40 + 2 * 48);
    }

    @Test
    void poolsMayBeChosenByHand() {
        JsonNode create = create(specs.option("gpu_pools", "ADA_24, AMPERE_48")
                .option("excluded_gpu_types", "NVIDIA A40")
                .option("disk_gb", "75"));
        assertThat(create.at("/gpu/pools")).extracting(JsonNode::asText).containsExactly("ADA_24", "AMPERE_48");
        assertThat(create.at("/gpu/excludedTypes")).extracting(JsonNode::asText).containsExactly("NVIDIA A40");
        assertThat(create.path("disk").asInt()).isEqualTo(75);
    }

    @Test
    @DisplayName("S-04, S-05, F-09, F-10: each key of the serverless half is sent, or refused if it cannot be honoured")
    void scalingKeysAreSentOrRefused() {
        ScalingPolicy.Serverless asked = ScalingPolicy.Serverless.builder()
                .concurrency(3)
                .scaledownWindow(Duration.ofSeconds(77))
                .timeout(Duration.ofSeconds(88))
                .workersMin(1)
                .workersMax(6)
                .build();
        JsonNode create = create(specs.scaling(asked));
        assertThat(create.path("workers").toString()).isEqualTo("{\"min\":1,\"max\":6,\"idleTimeout\":77}");
        assertThat(create.path("scaling").toString()).isEqualTo("{\"type\":\"REQUEST_COUNT\",\"requestCount\":3}");
        assertThat(create.path("timeout").asInt()).isEqualTo(88_000);
        ScalingPolicy.Serverless delayed = asked.toBuilder().scalerValue(9).build();
        assertThat(create(Specs.queued("tuna-a").scaling(delayed))
                        .at("/scaling/queueDelay")
                        .asInt())
                .isEqualTo(9);
        assertThat(refusal(specs.scaling(delayed))).contains("serverless.scaler_value is 9");
        assertThat(refusal(specs.scaling(
                        asked.toBuilder().timeout(Duration.ofMinutes(9)).build())))
                .contains("serverless.timeout is 540 s", "330 s");
    }

    @Test
    @DisplayName("defaults that RunPod cannot honour are changed and told")
    void adaptations() {
        ServerlessPlan plan = cloud.plan(specs.open().spec());
        assertThat(plan.adaptations())
                .anyMatch(text -> text.contains("330 s instead of the default 600 s"))
                .anyMatch(text -> text.contains("requests in flight (32 a worker)"))
                .anyMatch(text -> text.contains("always demands an API key"));
    }

    @Test
    @DisplayName("F-08 the region is a data center, in the request or in the option")
    void places() {
        assertThat(create(specs.region("US-KS-2")).path("dataCenterIds").toString())
                .isEqualTo("[\"US-KS-2\"]");
        assertThat(create(specs.option("data_centers", "US-KS-2,EU-RO-1").option("network_volumes", "v1"))
                        .path("dataCenterIds")
                        .toString())
                .isEqualTo("[\"US-KS-2\",\"EU-RO-1\"]");
        assertThat(refusal(specs.region("eu-west-1"))).contains("'eu-west-1'", "US-KS-2");
        assertThat(refusal(specs.region("US-KS-2").option("data_centers", "EU-RO-1")))
                .contains("set one of them");
    }

    @Test
    void aPlanOfAnotherProviderIsRefused() {
        ServerlessPlan plan = cloud.plan(specs.spec());
        assertThatThrownBy(() -> cloud.begin(
                        new ServerlessPlan(plan.deployment(), plan.resource(), "", "{\"app\":1}", plan.adaptations())))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("not one of provider runpod");
    }
}
