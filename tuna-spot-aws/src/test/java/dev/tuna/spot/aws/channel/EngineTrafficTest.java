package dev.tuna.spot.aws.channel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Tier;
import dev.tuna.router.Route;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RouterConfig;
import dev.tuna.router.RouterEngine;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Clients talk to the router, and the router through the channel to the engine. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EngineTrafficTest {

    private static final HttpClient CLIENT =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private Rig rig;
    private RouterEngine router;

    @BeforeAll
    void boot(@TempDir Path root) throws Exception {
        rig = new Rig(root);
        rig.ready();
        router = RouterEngine.builder()
                .config(RouterConfig.builder().port(0).ioThreads(2).build())
                .start();
        route(rig);
    }

    @AfterAll
    void end() {
        if (router != null) {
            router.close();
        }
        if (rig != null) {
            rig.close();
        }
    }

    private void route(Rig to) {
        BackendAddress address = to.channel.backend().withCredential(Credential.bearer(Rig.ENGINE_KEY));
        router.put(new Route(
                Rig.DEPLOYMENT,
                List.of(Rig.MODEL),
                List.of(),
                true,
                List.of(),
                List.of(RouteBackend.of("spot-1", Tier.SPOT, address)),
                0,
                RoutePolicy.DEFAULT));
    }

    private HttpRequest chat(boolean stream, int tokens, String content) {
        String body = "{\"model\":\"" + Rig.MODEL + "\",\"stream\":" + stream + ",\"max_tokens\":" + tokens
                + ",\"min_tokens\":" + tokens + ",\"messages\":[{\"role\":\"user\",\"content\":\"" + content + "\"}]}";
        return HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + router.address().getPort() + "/v1/chat/completions"))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build();
    }

    @Test
    void streamsAndWholeAnswersComeThroughUnchanged() throws Exception {
        try (VllmStandIn near = VllmStandIn.start()) {
            String direct = CLIENT.send(
                            HttpRequest.newBuilder(URI.create(near.uri() + "/v1/completions"))
                                    .header("Content-Type", "application/json")
                                    .POST(BodyPublishers.ofString("{\"model\":\"" + near.model()
                                            + "\",\"prompt\":\"once\",\"max_tokens\":50}"))
                                    .build(),
                            BodyHandlers.ofString())
                    .body();
            String through = CLIENT.send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:"
                                            + router.address().getPort() + "/v1/completions"))
                                    .header("Content-Type", "application/json")
                                    .POST(BodyPublishers.ofString(
                                            "{\"model\":\"" + Rig.MODEL + "\",\"prompt\":\"once\",\"max_tokens\":50}"))
                                    .build(),
                            BodyHandlers.ofString())
                    .body();
            assertThat(text(through)).isEqualTo(text(direct)).isNotEmpty();
        }
        for (int i = 0; i < 3; i++) {
            HttpResponse<String> streamed = CLIENT.send(chat(true, 40, "hello"), BodyHandlers.ofString());
            assertThat(streamed.statusCode()).isEqualTo(200);
            assertThat(streamed.body()).contains("data: ").endsWith("data: [DONE]\n\n");
        }
    }

    private static String text(String answer) {
        return answer.replaceAll("(?s).*\"text\":\\s*\"((?:[^\"\\\\]|\\\\.)*)\".*", "$1");
    }

    @Test
    void aLargeRequestAndManyAtOnceCome() throws Exception {
        assertThat(CLIENT.send(chat(false, 3, "word ".repeat(300)), BodyHandlers.ofString())
                        .statusCode())
                .isEqualTo(200);
        List<CompletableFuture<HttpResponse<String>>> all = IntStream.range(0, 100)
                .mapToObj(i -> CLIENT.sendAsync(chat(i % 2 == 0, 30, "hello " + i), BodyHandlers.ofString()))
                .toList();
        List<Integer> statuses = new ArrayList<>();
        for (CompletableFuture<HttpResponse<String>> each : all) {
            statuses.add(each.get(120, TimeUnit.SECONDS).statusCode());
        }
        assertThat(statuses).containsOnly(200);
        rig.until("nothing in flight", () -> Optional.of(rig.channel.look()).filter(report -> report.inFlight() == 0));
    }

    /** By itself the answer would take a quarter of an hour, far longer than the test waits. */
    @Test
    void aClientThatHangsUpStopsTheEngine(@TempDir Path other) throws Exception {
        try (Rig slow = new Rig(other, Optional.empty(), "--standin-tokens-per-second", "2")) {
            slow.ready();
            route(slow);
            HttpResponse<InputStream> answer = CLIENT.send(chat(true, 2000, "hello"), BodyHandlers.ofInputStream());
            assertThat(answer.body().read()).isNotNegative();
            assertThat(running(slow)).isEqualTo("1");
            answer.body().close();
            slow.until("an idle engine", () -> Optional.of(running(slow)).filter("0"::equals));
            assertThat(slow.channel.look().inFlight()).isZero();
        } finally {
            route(rig);
        }
    }

    private static String running(Rig at) throws Exception {
        String metrics = CLIENT.send(
                        HttpRequest.newBuilder(URI.create(at.machine.engine() + "/metrics"))
                                .build(),
                        BodyHandlers.ofString())
                .body();
        return metrics.replaceAll("(?s).*\\nvllm:num_requests_running\\{[^}]*} (\\d+).*", "$1");
    }

    @Test
    void theEnginesOwnPagesAreNotThereForClients() throws Exception {
        for (String path : List.of("/agent/look", "/metrics", "/v1/../agent/look")) {
            HttpResponse<String> answer = CLIENT.send(
                    HttpRequest.newBuilder(URI.create(
                                    "http://127.0.0.1:" + router.address().getPort() + path))
                            .build(),
                    BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(path).isGreaterThanOrEqualTo(400);
            assertThat(answer.body()).doesNotContain("phase");
        }
    }
}
