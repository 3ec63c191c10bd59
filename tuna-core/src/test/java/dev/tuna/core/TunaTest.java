package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus.BackendStatus;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.RollReport;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SpotState;
import dev.tuna.api.StoreException;
import dev.tuna.api.Tier;
import dev.tuna.core.control.ControlTimings;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.testkit.cloud.LocalCloud;
import dev.tuna.testkit.cloud.model.CloudSnapshot;
import dev.tuna.testkit.cloud.plugin.LocalProvider;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole of Tuna over real sockets, with the local cloud in this JVM. */
class TunaTest {

    private static final String MODEL = "Qwen/Qwen3-0.6B";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final ControlTimings FAST = ControlTimings.DEFAULT.toBuilder()
            .observeInterval(Duration.ofMillis(200))
            .busyInterval(Duration.ofMillis(50))
            .probeInterval(Duration.ofMillis(50))
            .build();

    private final HttpClient client = HttpClient.newHttpClient();

    private static TunaBuilder tuna(LocalCloud cloud, Path directory) {
        return Tuna.builder()
                .stateDirectory(directory)
                .listen("127.0.0.1", 0)
                .timings(FAST)
                .providerSettings("local", cloud.settings())
                .providerSettings("local-spot", cloud.settings());
    }

    private static DeployRequest request(String name) {
        return DeployRequest.builder(MODEL, "L4")
                .serviceName(name)
                .scaling(ScalingPolicy.DEFAULT.withServerless(ScalingPolicy.Serverless.builder()
                        .scaledownWindow(Duration.ofMillis(500))
                        .build()))
                .build();
    }

    private HttpResponse<String> chat(Deployment deployment) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(deployment.endpoint() + "/chat/completions"))
                .timeout(PATIENCE)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"" + MODEL
                        + "\",\"max_tokens\":4,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"));
        deployment.apiKey().ifPresent(key -> request.header("Authorization", "Bearer " + key.reveal()));
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static void until(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    private static void untilSpotServes(Deployment deployment) throws InterruptedException {
        until("spot serves", () -> deployment.status().spotState() == SpotState.READY);
    }

    @Test
    void servesFromServerlessWhileSpotBootsShiftsSurvivesALossAndLeavesNothing(@TempDir Path directory)
            throws Exception {
        try (LocalCloud cloud = LocalCloud.builder()
                        .coldStart(Duration.ofMillis(300))
                        .bootDelay(Duration.ofSeconds(3))
                        .startInProcess();
                Tuna tuna = tuna(cloud, directory).start()) {
            Deployment chat = tuna.deploy(request("chat"));
            assertThat(chat(chat).statusCode()).isEqualTo(200);
            assertThat(chat.status().traffic().byTier()).containsEntry(Tier.SERVERLESS, 1L);

            untilSpotServes(chat);
            assertThat(chat(chat).statusCode()).isEqualTo(200);
            assertThat(chat.status().traffic().byTier()).containsEntry(Tier.SPOT, 1L);
            until("serverless scaled to zero", () -> containers(cloud.snapshot()) == 0);
            long before = cloud.snapshot().endpoints().get(0).requests();
            for (int i = 0; i < 20; i++) {
                assertThat(chat(chat).statusCode()).isEqualTo(200);
            }
            assertThat(cloud.snapshot().endpoints().get(0).requests()).isEqualTo(before);
            assertThat(containers(cloud.snapshot())).isZero();

            cloud.lose(cloud.snapshot().replicas().get(0).id());
            for (int i = 0; i < 20; i++) {
                assertThat(chat(chat).statusCode()).isEqualTo(200);
            }
            until("lost replica replaced", () -> cloud.snapshot().replicas().size() == 2);
            untilSpotServes(chat);

            var report = chat.destroy().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            assertThat(cloud.snapshot().empty()).isTrue();
            assertThat(report.cost().complete()).isTrue();
            assertThat(report.cost().total()).isPositive();
            assertThat(tuna.status("chat").phase()).isEqualTo(DeploymentPhase.DESTROYED);
            assertThat(tuna.status("chat").traffic().failed()).isZero();
            assertThat(tuna.orphans().found()).isEmpty();
        }
    }

    private static int containers(CloudSnapshot snapshot) {
        return snapshot.endpoints().get(0).containers().size();
    }

    @Test
    void theNextProcessGoesOnWhereTheLastOneStopped(@TempDir Path directory) throws Exception {
        try (LocalCloud cloud = LocalCloud.builder().startInProcess()) {
            String key;
            try (Tuna first = tuna(cloud, directory).start()) {
                Deployment chat = first.deploy(request("chat"));
                untilSpotServes(chat);
                assertThat(chat(chat).statusCode()).isEqualTo(200);
                key = chat.apiKey().orElseThrow().reveal();
                assertThatThrownBy(() -> tuna(cloud, directory).start())
                        .isInstanceOfSatisfying(
                                StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_LOCKED));
            }
            try (Tuna second = tuna(cloud, directory).start()) {
                Deployment chat = second.deployment("chat").orElseThrow();
                assertThat(chat.apiKey().orElseThrow().reveal()).isEqualTo(key);
                assertThat(chat(chat).statusCode()).isEqualTo(200);
                assertThat(chat.status().traffic().requests()).isEqualTo(2);
                assertThat(cloud.snapshot().replicas()).hasSize(1);
                chat.destroy().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                assertThat(cloud.snapshot().empty()).isTrue();
            }
        }
    }

    /** Looks at nothing until it is let go. */
    private static final class Hanging extends ForwardingServerless {
        private final CountDownLatch letGo = new CountDownLatch(1);

        Hanging() {
            super(new LocalProvider());
        }

        @Override
        public ServerlessObservation observe(ResourceRef resource) {
            try {
                letGo.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return super.observe(resource);
        }
    }

    @Test
    void aStartReturnsAndServesWhileAProviderHangs(@TempDir Path directory) throws Exception {
        try (LocalCloud cloud = LocalCloud.builder().startInProcess()) {
            try (Tuna first = tuna(cloud, directory).start()) {
                untilSpotServes(first.deploy(request("chat")));
            }
            var hanging = new Hanging();
            try (Tuna second = tuna(cloud, directory).provider(hanging).start()) {
                Deployment chat = second.deployment("chat").orElseThrow();
                assertThat(chat(chat).statusCode()).isEqualTo(200);
                assertThat(hanging.letGo.getCount()).isEqualTo(1);
                hanging.letGo.countDown();
                chat.destroy().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                assertThat(cloud.snapshot().empty()).isTrue();
            }
        }
    }

    @Test
    void aRollLosesNoRequest(@TempDir Path directory) throws Exception {
        try (LocalCloud cloud = LocalCloud.builder().startInProcess();
                Tuna tuna = tuna(cloud, directory).start()) {
            Deployment chat = tuna.deploy(request("chat"));
            untilSpotServes(chat);
            tuna.redeploy(request("chat").toBuilder().maxModelLen(2048).build());
            long sent = 0;
            while (!chat.rolled().isDone() || chat.status().backends().size() > 2) {
                assertThat(chat(chat).statusCode()).isEqualTo(200);
                sent++;
            }
            assertThat(chat.rolled().get().outcome()).isEqualTo(RollReport.Outcome.ROLLED);
            assertThat(chat(chat).statusCode()).isEqualTo(200);
            assertThat(chat.status().traffic().succeeded()).isEqualTo(sent + 1);
            assertThat(chat.status().traffic().failed()).isZero();
            chat.destroy().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            assertThat(cloud.snapshot().empty()).isTrue();
        }
    }

    @Test
    void twoLiveSideBySideAndNoThreadIsLeftWhenTheyClose(@TempDir Path left, @TempDir Path right) throws Exception {
        try (LocalCloud cloud = LocalCloud.builder().startInProcess()) {
            Set<Thread> before = tunaThreads();
            Tuna first = tuna(cloud, left).start();
            Tuna second = tuna(cloud, right).start();
            Deployment one = first.deploy(request("chat"));
            Deployment two = second.deploy(request("chat"));
            assertThat(chat(one).statusCode()).isEqualTo(200);
            assertThat(chat(two).statusCode()).isEqualTo(200);
            assertThat(one.endpoint()).isNotEqualTo(two.endpoint());
            assertThatThrownBy(() -> tuna(cloud, left.resolve("third"))
                            .listen("127.0.0.1", one.endpoint().getPort())
                            .start())
                    .isInstanceOfSatisfying(
                            ConfigurationException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.ENDPOINT_UNAVAILABLE))
                    .hasMessageContaining(String.valueOf(one.endpoint().getPort()));

            first.destroyAll().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            assertThat(chat(two).statusCode()).isEqualTo(200);
            second.destroyAll().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            first.close();
            second.close();
            second.close();
            assertThat(cloud.snapshot().empty()).isTrue();
            until("threads ended " + tunaThreads(), () -> {
                System.gc(); // before Java 21 an HTTP client's thread ends when nobody holds the client any more
                return before.containsAll(tunaThreads());
            });
        }
    }

    private static Set<Thread> tunaThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread ->
                        thread.getName().startsWith("tuna-") || thread.getName().endsWith("SelectorManager"))
                // The cloud and this test's own client live on.
                .filter(thread -> !thread.getName().startsWith("tuna-cloud"))
                .collect(Collectors.toSet());
    }

    @Test
    void statusShowsEveryBackendAndNoSecret(@TempDir Path directory) throws Exception {
        try (LocalCloud cloud = LocalCloud.builder().startInProcess();
                Tuna tuna = tuna(cloud, directory).start()) {
            Deployment chat = tuna.deploy(request("chat"));
            untilSpotServes(chat);
            assertThat(chat.status().backends())
                    .extracting(BackendStatus::provider)
                    .containsExactlyInAnyOrder("local", "local-spot");
            String shown = chat + " " + chat.status() + " " + chat.cost() + " " + tuna.plan(request("other"));
            assertThat(shown)
                    .doesNotContain(
                            chat.apiKey().orElseThrow().reveal(),
                            tuna.adminKey().reveal());
            chat.destroy().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }
}
