package dev.tuna.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.core.Tuna;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PluginTest {

    @Test
    void aStrangersProviderInAJarOfItsOwnIsFoundByItsNameAndServes(@TempDir Path state) throws Exception {
        try (VllmStandIn server = VllmStandIn.start();
                Tuna tuna = Tuna.builder()
                        .stateDirectory(state)
                        .listen("127.0.0.1", 0)
                        .start()) {
            DeployRequest request = DeployRequest.builder(server.model(), "L4")
                    .serviceName("stranger")
                    .serverlessProviders("static")
                    .providerOptions(Map.of("static", Map.of("url", server.uri().toString())))
                    .serverlessOnly(true)
                    .build();
            Deployment deployment = tuna.deploy(request);
            deployment.ready().get(60, TimeUnit.SECONDS);
            try (Chat chat = new Chat(deployment.endpoint(), deployment.apiKey(), server.model())) {
                assertThat(chat.ask("Hello", 8)).isNotBlank().isEqualTo(chat.stream("Hello", 8));
            }
            deployment.destroy().get(60, TimeUnit.SECONDS);
            assertThat(tuna.status("stranger").phase()).isEqualTo(DeploymentPhase.DESTROYED);
            assertThat(server.listening())
                    .as("what Tuna did not start it does not stop")
                    .isTrue();
        }
    }
}
