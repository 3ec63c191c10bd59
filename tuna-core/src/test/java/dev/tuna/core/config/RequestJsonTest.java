package dev.tuna.core.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.Budget;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SecretRef;
import dev.tuna.api.StoreException;
import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RequestJsonTest {

    private static final String WHERE = "request of deployment 'chat'";
    private static final DeployRequest FULL = DeployRequest.builder("Qwen/Qwen3-0.6B", "L4")
            .gpuCount(2)
            .serverlessProviders("runpod", "modal")
            .providerOptions(Map.of("runpod", Map.of("datacenter", "EU-1")))
            .serverlessRegion("us-central1")
            .spotCloud("aws")
            .spotRegions("us-east-1", "us-west-2")
            .tpSize(2)
            .quantization("awq")
            .engineVersion("0.31.0")
            .engineArguments("--seed", "1")
            .containerImage("vllm/vllm-openai:v0.31.0")
            .serviceName("chat")
            .scaling(new ScalingPolicy(
                    ScalingPolicy.Spot.builder()
                            .targetTokensPerSecond(900)
                            .firstTokenLimit(Duration.ofSeconds(10))
                            .build(),
                    ScalingPolicy.Serverless.builder().workersMax(2).build()))
            .secrets(Map.of("HF_TOKEN", new SecretRef("hf")))
            .budget(Budget.builder()
                    .usdPerHour(new BigDecimal("2.50"))
                    .usdPerDay(BigDecimal.TEN)
                    .usdPerMonth(new BigDecimal("200"))
                    .action(Budget.Action.SERVERLESS_ONLY)
                    .build())
            .build();

    @Test
    void whatIsWrittenReadsBackEqual() {
        long seed = new Random().nextLong();
        var random = new Random(seed);
        for (int i = 0; i < 500; i++) {
            DeployRequest request = RandomRequests.request(random);
            String json = RequestJson.write(request);

            assertThat(RequestJson.read(json, WHERE))
                    .as("seed %d, round %d", seed, i)
                    .isEqualTo(request);
            assertThat(json.chars())
                    .as("seed %d, round %d", seed, i)
                    .allMatch(letter -> letter >= ' ' && letter <= 127);
        }
    }

    @Test
    void equalRequestsGiveEqualText() {
        long seed = new Random().nextLong();
        var random = new Random(seed);
        for (int i = 0; i < 100; i++) {
            DeployRequest request = RandomRequests.request(random);
            String json = RequestJson.write(request);

            assertThat(RequestJson.write(RequestJson.read(json, WHERE)))
                    .as("seed %d, round %d", seed, i)
                    .isEqualTo(json);
        }
    }

    @Test
    void everyPartOfARequestIsWritten() {
        String json = RequestJson.write(FULL);

        assertThat(components(DeployRequest.class)).allMatch(name -> json.contains("\"" + name + "\":"));
        assertThat(components(Budget.class)).allMatch(name -> json.contains("\"" + name + "\":"));
        assertThat(components(ScalingPolicy.Spot.class)).allMatch(name -> json.contains("\"" + name + "\":"));
        assertThat(components(ScalingPolicy.Serverless.class)).allMatch(name -> json.contains("\"" + name + "\":"));
    }

    private static Stream<String> components(Class<?> type) {
        return Arrays.stream(type.getRecordComponents()).map(RecordComponent::getName);
    }

    @Test
    void refusesADocumentOfALaterVersion() {
        String json = RequestJson.write(FULL).replace("\"format\":1", "\"format\":2");

        assertThatThrownBy(() -> RequestJson.read(json, WHERE))
                .isInstanceOfSatisfying(
                        StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_TOO_NEW))
                .hasMessageContaining(WHERE)
                .hasMessageContaining("format 2");
    }

    static Stream<Arguments> damages() {
        return Stream.of(
                Arguments.of("\"gpuCount\":2,", "", "'gpuCount' is missing"),
                Arguments.of("\"gpuCount\":2", "\"gpuCount\":\"2\"", "'gpuCount' is '\"2\"'"),
                Arguments.of("\"gpuCount\":2", "\"gpuCount\":2.5", "'gpuCount' is '2.5'"),
                Arguments.of("\"gpuCount\":2", "\"gpuCount\":99999999999", "'gpuCount' is '99999999999'"),
                Arguments.of("\"gpuCount\":2", "\"gpuCount\":null", "'gpuCount' is 'null'"),
                Arguments.of("\"gpuCount\":2", "\"gpuCount\":0", "gpuCount is '0'"),
                Arguments.of("\"gpuCount\":2", "\"gpuCount\":2,\"gpuCount\":3", "Duplicate"),
                Arguments.of("\"gpuCount\":2", "\"gpuCount\":2,\"gpuColour\":3", "'gpuColour' is not a known key"),
                Arguments.of("\"targetQps\":", "\"targetRps\":", "'scaling.spot.targetQps' is missing"),
                Arguments.of("\"upscaleDelay\":\"PT5S\"", "\"upscaleDelay\":\"5s\"", "'scaling.spot.upscaleDelay'"),
                Arguments.of("\"timeout\":", "\"extra\":1,\"timeout\":", "'scaling.serverless.extra'"),
                Arguments.of("\"FAST_BOOT\"", "\"SLOW\"", "'coldStartMode' is '\"SLOW\"'"),
                Arguments.of("\"publicAccess\":false", "\"publicAccess\":0", "'publicAccess' is '0'"),
                Arguments.of("[\"runpod\",", "[1,", "serverlessProviders"),
                Arguments.of("\"HF_TOKEN\":\"hf\"", "\"HF_TOKEN\":\"h f\"", "h f"),
                Arguments.of("\"format\":1,", "", "'format' is missing"),
                Arguments.of("{\"format\"", "[{\"format\"", "not JSON"),
                Arguments.of("{\"format\"", "0 {\"format\"", "not JSON"));
    }

    @ParameterizedTest
    @MethodSource("damages")
    void namesWhatIsWrongWithADamagedDocument(String intact, String damaged, String finding) {
        String json = RequestJson.write(FULL);
        assertThat(json).contains(intact);

        assertThatThrownBy(() -> RequestJson.read(json.replace(intact, damaged), WHERE))
                .isInstanceOfSatisfying(
                        StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_CORRUPT))
                .hasMessageContaining(WHERE)
                .hasMessageContaining(finding);
    }

    @ParameterizedTest
    @MethodSource("noDocuments")
    void refusesWhatIsNoDocument(String json) {
        assertThatThrownBy(() -> RequestJson.read(json, WHERE))
                .isInstanceOfSatisfying(
                        StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_CORRUPT));
    }

    static Stream<String> noDocuments() {
        return Stream.of("", " ", "null", "[]", "\"x\"", "{", "{}", "[".repeat(10_000));
    }
}
