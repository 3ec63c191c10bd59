package dev.tuna.testkit.cloud;

import static dev.tuna.testkit.cloud.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Secret;
import dev.tuna.api.Tier;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.SpotCloud;
import dev.tuna.testkit.cloud.model.ReplicaView;
import dev.tuna.testkit.cloud.plugin.LocalProvider;
import dev.tuna.testkit.cloud.plugin.LocalSpotProvider;
import dev.tuna.testkit.cloud.plugin.Specs;
import dev.tuna.testkit.cloud.plugin.TestContext;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The cloud and its machines as real processes. */
class LocalCloudIT {

    private static final CapacityPool POOL = new CapacityPool("local-spot", "local-1", "local-1a", "l4-1", Tier.SPOT);

    private static HttpResponse<String> chat(TestContext context, BackendAddress address) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address.url() + "/v1/chat/completions"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(
                        "{\"model\":\"chat\",\"max_tokens\":4,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"));
        address.credential()
                .ifPresent(credential ->
                        request.header(credential.header(), credential.value().reveal()));
        return context.http().send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static ReplicaObservation observe(SpotCloud spot, ResourceRef replica) {
        return Objects.requireNonNull(spot.observe(List.of(replica)).get(replica));
    }

    @Test
    void servesFromAColdContainerAndFromASpotReplicaAndLeavesNoProcess() throws Exception {
        List<ProcessHandle> processes = new ArrayList<>();
        try (LocalCloud cloud = LocalCloud.builder().start()) {
            TestContext context = TestContext.of(cloud.settings());
            context.secrets().put(Specs.KEY, Secret.of("very-secret-engine-key"));
            ServerlessCloud serverless = new LocalProvider().open(context);
            ResourceRef endpoint = serverless.begin(
                    serverless.plan(Specs.serverless(Specs.engine(), Specs.window(Duration.ofMinutes(5)))));
            SpotCloud spot = new LocalSpotProvider().open(context);
            LaunchPlan launch = spot.plan(Specs.replica(Specs.engine()), List.of(POOL), "token-1");
            ResourceRef replica = spot.launch(launch);

            assertThat(chat(context, serverless.observe(endpoint).address().orElseThrow())
                            .statusCode())
                    .isEqualTo(200);
            eventually("a ready replica", () -> observe(spot, replica).phase() == BackendPhase.READY);
            assertThat(chat(context, observe(spot, replica).address().orElseThrow())
                            .statusCode())
                    .isEqualTo(200);

            ReplicaView view = cloud.snapshot().replica(replica.id());
            assertThat(view.requests()).contains(1L);
            assertThat(cloud.snapshot().machines()).isEqualTo(2);
            assertThat(cloud.snapshot().endpoint(endpoint.id()).completed()).isEqualTo(1);
            processes.addAll(cloud.process().orElseThrow().descendants().toList());
            assertThat(processes).hasSize(2);
            for (ProcessHandle process : processes) {
                assertThat(commandLine(process)).doesNotContain("very-secret-engine-key");
            }

            spot.terminate(replica);
            serverless.destroy(endpoint);
            eventually("an empty cloud", () -> cloud.snapshot().empty());
            assertThat(observe(spot, replica).endedAt()).isPresent();
        }
        assertThat(processes).noneMatch(ProcessHandle::isAlive);
    }

    private static String commandLine(ProcessHandle process) throws IOException {
        Path file = Path.of("/proc", Long.toString(process.pid()), "cmdline");
        return Files.exists(file)
                ? Files.readString(file)
                : process.info().commandLine().orElse("");
    }

    @Test
    void takesItsMachinesAlongWhenItIsKilled() throws Exception {
        LocalCloud cloud = LocalCloud.builder().start();
        TestContext context = TestContext.of(cloud.settings());
        context.secrets().put(Specs.KEY, Secret.of("engine-key"));
        SpotCloud spot = new LocalSpotProvider().open(context);
        ResourceRef replica = spot.launch(spot.plan(Specs.replica(Specs.engine()), List.of(POOL), "token-1"));
        eventually("a ready replica", () -> observe(spot, replica).phase() == BackendPhase.READY);
        List<ProcessHandle> machines =
                cloud.process().orElseThrow().descendants().toList();
        assertThat(machines).hasSize(1);

        cloud.process().orElseThrow().destroyForcibly();

        assertThat(machines.get(0).onExit().get(60, TimeUnit.SECONDS)).isNotNull();
        cloud.close();
    }

    @Test
    void runsAnyCommandAndTakesItAlongWhenItIsKilled() throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        LocalCloud cloud = LocalCloud.builder()
                .command(
                        java,
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "dev.tuna.testkit.vllm.VllmStandInMain",
                        "serve",
                        "{model}",
                        "--port",
                        "{port}",
                        "--served-model-name",
                        "{served_model_name}",
                        "{arguments}")
                .start();
        TestContext context = TestContext.of(cloud.settings());
        context.secrets().put(Specs.KEY, Secret.of("engine-key"));
        SpotCloud spot = new LocalSpotProvider().open(context);
        ResourceRef first = spot.launch(
                spot.plan(Specs.replica(Specs.engine("--standin-version", "9.9")), List.of(POOL), "token-1"));
        ResourceRef second = spot.launch(spot.plan(Specs.replica(Specs.engine()), List.of(POOL), "token-2"));
        eventually(
                "two ready replicas",
                () -> observe(spot, first).phase() == BackendPhase.READY
                        && observe(spot, second).phase() == BackendPhase.READY);
        BackendAddress address = observe(spot, first).address().orElseThrow();
        assertThat(chat(context, address).statusCode()).isEqualTo(200);

        spot.terminate(first);
        eventually("its end", () -> observe(spot, first).phase() == BackendPhase.GONE);

        List<ProcessHandle> machines =
                cloud.process().orElseThrow().descendants().toList();
        assertThat(machines).isNotEmpty();
        cloud.process().orElseThrow().destroyForcibly();
        for (ProcessHandle machine : machines) {
            assertThat(machine.onExit().get(60, TimeUnit.SECONDS)).isNotNull();
        }
        cloud.close();
    }
}
