package dev.tuna.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.core.Tuna;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.testkit.runpod.RunPodStandIn;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The whole of Tuna before RunPod: control plane, router and provider, with a client that knows nothing of it. */
class RunPodTest {

    private static final String MODEL = "Qwen/Qwen3-0.6B";

    private final RunPodStandIn runpod = RunPodStandIn.builder()
            .bootTime(Duration.ofSeconds(1))
            .coldLimit(Duration.ofMillis(200))
            .start();

    @TempDir
    private Path state;

    @BeforeEach
    void storeKey() {
        new FileSecretStore(state).put(new SecretRef("runpod/api-key"), runpod.key());
    }

    @AfterEach
    void close() {
        runpod.close();
    }

    private Tuna open() {
        return Tuna.builder()
                .stateDirectory(state)
                .listen("127.0.0.1", 0)
                .providerSettings("runpod", runpod.settings())
                .start();
    }

    private static DeployRequest request(Map<String, String> options) {
        return DeployRequest.builder(MODEL, "L4")
                .serviceName("chat")
                .engineVersion("0.27.1")
                .serverlessProviders("runpod")
                .providerOptions(Map.of("runpod", options))
                .serverlessOnly(true)
                .scaling(ScalingPolicy.DEFAULT.withServerless(ScalingPolicy.Serverless.builder()
                        .scaledownWindow(Duration.ofSeconds(1))
                        .build()))
                .build();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"load_balancer", "queue"})
    @DisplayName("a client is answered although the endpoint sleeps, refuses and wakes, and by the next process too")
    void sleepingEndpointAnswers(String type) throws Exception {
        try (Tuna tuna = open()) {
            Deployment deployment = tuna.deploy(request(Map.of("endpoint_type", type)));
            deployment.ready().get(120, TimeUnit.SECONDS);
            ask(deployment);
            awaitSleep();
            ask(deployment);
        }
        assertThat(runpod.endpoints()).as("closing destroys nothing").hasSize(1);
        try (Tuna next = open()) {
            Deployment deployment = next.deployment("chat").orElseThrow();
            awaitSleep();
            ask(deployment);
            deployment.destroy().get(120, TimeUnit.SECONDS);
            assertThat(next.status("chat").phase()).isEqualTo(DeploymentPhase.DESTROYED);
        }
        assertThat(runpod.endpoints()).isEmpty();
    }

    private static void ask(Deployment deployment) throws Exception {
        try (Chat chat = new Chat(deployment.endpoint(), deployment.apiKey(), MODEL)) {
            assertThat(chat.stream("Hello", 8)).isNotBlank();
        }
    }

    private void awaitSleep() throws InterruptedException {
        String name = runpod.endpoints().get(0);
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (runpod.workers(name) > 0) {
            assertThat(System.nanoTime()).as("it falls asleep").isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    @Test
    @DisplayName("a key that RunPod does not take fails the deployment with what to do, and nothing is left")
    void wrongKey() throws Exception {
        new FileSecretStore(state).put(new SecretRef("runpod/api-key"), Secret.of("rpa_of-somebody-else"));
        try (Tuna tuna = open()) {
            Deployment deployment = tuna.deploy(request(Map.of()));
            assertThat(deployment.ready())
                    .failsWithin(120, TimeUnit.SECONDS)
                    .withThrowableThat()
                    .withMessageContaining("HTTP 401")
                    .withMessageContaining("https://console.runpod.io/user/settings");
            assertThat(runpod.endpoints()).isEmpty();
        }
    }
}
