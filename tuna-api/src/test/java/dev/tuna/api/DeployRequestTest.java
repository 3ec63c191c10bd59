package dev.tuna.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeployRequestTest {

    private static DeployRequest.Builder request() {
        return DeployRequest.builder("Qwen/Qwen3-0.6B", "L4");
    }

    @Test
    void hasTheDocumentedDefaults() {
        DeployRequest request = request().build();

        assertThat(request.gpuCount()).isEqualTo(1);
        assertThat(request.maxModelLen()).isEqualTo(4096);
        assertThat(request.coldStartMode()).isEqualTo(ColdStartMode.FAST_BOOT);
        assertThat(request.serverlessProviders()).isEmpty();
        assertThat(request.serviceName()).isEmpty();
        assertThat(request.publicAccess()).isFalse();
        assertThat(request.routerPlacement()).isEqualTo(RouterPlacement.EMBEDDED);
        assertThat(request.scaling()).isEqualTo(ScalingPolicy.DEFAULT);
        assertThat(request.effectiveScaling().spot()).isEqualTo(ScalingPolicy.DEFAULT.spot());
        assertThat(request.effectiveScaling().serverless())
                .isEqualTo(ScalingPolicy.Serverless.builder().workersMax(5).build());
    }

    @Test
    void reportsEveryWrongFieldAtOnceWithValueAndWhatIsAllowed() {
        var request = DeployRequest.builder(" ", "L4")
                .gpuCount(0)
                .maxModelLen(-1)
                .tpSize(3)
                .serviceName("Bad_Name")
                .secrets(Map.of("not a variable", new SecretRef("hf")));

        assertThatThrownBy(request::build)
                .isInstanceOfSatisfying(ConfigurationException.class, error -> {
                    assertThat(error.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
                    assertThat(error.retryable()).isFalse();
                    assertThat(error.problems()).hasSize(6);
                })
                .hasMessageContaining("model is ' '")
                .hasMessageContaining("gpuCount is '0' but must be 1 or more")
                .hasMessageContaining("maxModelLen is '-1'")
                .hasMessageContaining("tpSize is '3' but must be 1 to gpuCount (0)")
                .hasMessageContaining("serviceName is 'Bad_Name'")
                .hasMessageContaining("'not a variable'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "chat", "tuna-0a1b2c3d", "a2345678901234567890123456789012345678z9"})
    void takesNamesThatEveryProviderTakes(String name) {
        assertThat(request().serviceName(name).build().serviceName()).contains(name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "-a", "a-", "1a", "A", "a.b", "a_b", "ä", "a b", "a2345678901234567890123456789012345678901"
            })
    void refusesNamesThatSomeProviderRefuses(String name) {
        var builder = request().serviceName(name);

        assertThatThrownBy(builder::build)
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("serviceName is '" + name + "'");
    }

    @Test
    void namesAnOptionKeyThatCannotBeOne() {
        var builder = request().providerOptions(Map.of("runpod", Map.of("data centre", "EU-1")));

        assertThatThrownBy(builder::build)
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("providerOptions.runpod is 'data centre'");
    }

    @Test
    void serverlessOnlyDoesNotGoWithASpotCloud() {
        var builder = request().serverlessOnly(true).spotCloud("aws");

        assertThatThrownBy(builder::build).hasMessageContaining("serverlessOnly");
    }

    @Test
    void noScaleToZeroKeepsAReplicaAndAWorkerAndWidensTheWindow() {
        ScalingPolicy scaling = request().noScaleToZero(true).build().effectiveScaling();

        assertThat(scaling.spot().minReplicas()).isEqualTo(1);
        assertThat(scaling.serverless().workersMin()).isEqualTo(1);
        assertThat(scaling.serverless().scaledownWindow()).isEqualTo(Duration.ofMinutes(5));
    }

    @Test
    void noScaleToZeroNeverLowersWhatTheUserSet() {
        var spot = ScalingPolicy.Spot.builder().minReplicas(3).build();
        var serverless = ScalingPolicy.Serverless.builder()
                .workersMin(2)
                .workersMax(4)
                .scaledownWindow(Duration.ofMinutes(20))
                .build();

        ScalingPolicy scaling = request()
                .scaling(new ScalingPolicy(spot, serverless))
                .noScaleToZero(true)
                .build()
                .effectiveScaling();

        assertThat(scaling.spot()).isEqualTo(spot);
        assertThat(scaling.serverless()).isEqualTo(serverless);
    }

    @Test
    @DisplayName("P-60: serverless may grow as far as the fleet may, unless a limit was set")
    void serverlessMayGrowAsFarAsTheFleet() {
        assertThat(workersMax(8, ScalingPolicy.Serverless.builder().build())).isEqualTo(8);
        assertThat(workersMax(0, ScalingPolicy.Serverless.builder().build())).isEqualTo(1);
        assertThat(workersMax(
                        2, ScalingPolicy.Serverless.builder().workersMin(3).build()))
                .isEqualTo(3);
        assertThat(workersMax(
                        8, ScalingPolicy.Serverless.builder().workersMax(2).build()))
                .isEqualTo(2);
        assertThat(request()
                        .serverlessOnly(true)
                        .build()
                        .effectiveScaling()
                        .serverless()
                        .workersMax())
                .isEqualTo(5);
    }

    private static int workersMax(int replicas, ScalingPolicy.Serverless serverless) {
        var spot = ScalingPolicy.Spot.builder().maxReplicas(replicas).build();
        return request()
                .scaling(new ScalingPolicy(spot, serverless))
                .build()
                .effectiveScaling()
                .serverless()
                .workersMax();
    }

    @Test
    void serverlessOnlyRentsNothingEvenWithoutScaleToZero() {
        ScalingPolicy scaling =
                request().serverlessOnly(true).noScaleToZero(true).build().effectiveScaling();

        assertThat(scaling.spot().maxReplicas()).isZero();
        assertThat(scaling.serverless().workersMin()).isEqualTo(1);
    }

    @Test
    void aBuilderMadeFromARequestBuildsAnEqualOne() {
        DeployRequest request = request()
                .serviceName("chat")
                .tpSize(1)
                .providerOptions(Map.of("local", Map.of("url", "http://127.0.0.1:1")))
                .secrets(Map.of("HF_TOKEN", new SecretRef("hf")))
                .build();

        assertThat(request.toBuilder().build()).isEqualTo(request);
    }
}
