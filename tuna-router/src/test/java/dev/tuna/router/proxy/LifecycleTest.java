package dev.tuna.router.proxy;

import static dev.tuna.router.proxy.Bench.await;
import static dev.tuna.router.proxy.Bench.chat;
import static dev.tuna.router.proxy.Bench.json;
import static dev.tuna.router.proxy.Bench.raw;
import static dev.tuna.router.proxy.Bench.readAll;
import static dev.tuna.router.proxy.Bench.readUntil;
import static dev.tuna.router.proxy.Bench.send;
import static dev.tuna.router.proxy.Bench.spot;
import static dev.tuna.router.proxy.Bench.stream;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.router.NamedKey;
import dev.tuna.router.Route;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RouterConfig;
import dev.tuna.router.RouterEngine;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.Fault.Moment;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Routes, keys, and the engine's beginning and end. */
class LifecycleTest {

    private static Route route(String name, String model, List<NamedKey> keys, RouteBackend replica) {
        return new Route(name, List.of(model), keys, keys.isEmpty(), List.of(), List.of(replica), 0, Bench.POLICY);
    }

    private static String ask(String model) {
        return chat("hello", ",\"max_tokens\":2").replace(Bench.MODEL, model);
    }

    @Test
    @DisplayName("R-18 a request needs a key of the very route that its model chooses")
    void keysOpenTheirOwnRouteOnly() throws Exception {
        try (Bench bench = new Bench();
                VllmStandIn a = VllmStandIn.builder().model("model-a").start();
                VllmStandIn b = VllmStandIn.builder().model("model-b").start()) {
            NamedKey keyA = NamedKey.of("a", Secret.of("schlüssel-a"));
            NamedKey keyB = NamedKey.of("b", Secret.of("key-b"));
            bench.router.put(route("dep-a", "model-a", List.of(keyA), spot("spot-a", a.uri())));
            bench.router.put(route("dep-b", "model-b", List.of(keyB), spot("spot-b", b.uri())));
            assertThat(bench.post(ask("model-b"), "Authorization", "Bearer key-b")
                            .headers()
                            .firstValue("x-tuna-backend"))
                    .hasValue("spot-b");
            assertThat(bench.post(ask("model-b"), "x-api-key", "key-b").statusCode())
                    .isEqualTo(200);
            assertThat(bench.post(ask("model-a"), "Authorization", "Bearer key-b")
                            .statusCode())
                    .isEqualTo(404);
            assertThat(bench.post(ask("model-a")).statusCode()).isEqualTo(401);
            assertThat(bench.post(ask("model-a"), "Authorization", "Bearer wrong")
                            .statusCode())
                    .isEqualTo(401);
            try (Socket client = bench.socket()) {
                send(client, raw(ask("model-a"), "Authorization: Bearer schlüssel-a", "Connection: close"));
                assertThat(readAll(client)).startsWith("HTTP/1.1 200");
            }
            try (Socket client = bench.socket()) {
                send(client, "GET /v1/models HTTP/1.1\r\nHost: x\r\nx-api-key: key-b\r\nConnection: close\r\n\r\n");
                assertThat(readAll(client)).contains("model-b").doesNotContain("model-a");
            }
            assertThat(bench.get("/v1/models").statusCode()).isEqualTo(401);
        }
    }

    @Test
    void unknownModelsAreNamedAsOpenAiDoes() throws Exception {
        try (Bench bench = new Bench()) {
            bench.router.put(Bench.route(List.of(), List.of(), Bench.POLICY));
            HttpResponse<String> answer = bench.post(ask("nobody"));
            assertThat(answer.statusCode()).isEqualTo(404);
            assertThat(json(answer.body()).path("error").path("code").asText()).isEqualTo("model_not_found");
            assertThat(answer.body()).contains("nobody").contains(Bench.MODEL);
            assertThat(json(bench.get("/v1/models").body())
                            .path("data")
                            .path(0)
                            .path("id")
                            .asText())
                    .isEqualTo(Bench.MODEL);
            assertThat(bench.get("/v1/models/stand-in/tiny").statusCode()).isEqualTo(200);
            assertThat(bench.get("/v1/models/other").statusCode()).isEqualTo(404);
        }
    }

    @Test
    void oneModelIsServedByOneRouteOnly() {
        try (Bench bench = new Bench();
                VllmStandIn standIn = VllmStandIn.start()) {
            bench.router.put(route("dep-a", "shared", List.of(), spot("spot-1", standIn.uri())));
            Route second = route("dep-b", "shared", List.of(), spot("spot-1", standIn.uri()));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> bench.router.put(second))
                    .withMessageContaining("dep-a")
                    .withMessageContaining("dep-b")
                    .withMessageContaining("shared");
            assertThat(bench.router.routes()).extracting(Route::deployment).containsExactly("dep-a");
        }
    }

    @Test
    @DisplayName("O-14, O-15 a taken port is named")
    void aTakenPortIsNamed() {
        try (Bench bench = new Bench()) {
            RouterConfig config = RouterConfig.builder().port(bench.port()).build();
            assertThatExceptionOfType(ConfigurationException.class)
                    .isThrownBy(() -> RouterEngine.builder().config(config).start())
                    .withMessageContaining("127.0.0.1:" + bench.port())
                    .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.ENDPOINT_UNAVAILABLE));
        }
    }

    @Test
    @DisplayName("R-44 two routers work side by side, and nothing of a closed one is left")
    void twoRoutersSideBySide() throws Exception {
        List<Thread> before = routerThreads().toList();
        try (Bench one = new Bench();
                Bench two = new Bench()) {
            VllmStandIn first = one.standIn();
            VllmStandIn second = two.standIn();
            one.route(List.of(), List.of(spot("spot-1", first.uri())));
            two.route(List.of(), List.of(spot("spot-1", second.uri())));
            assertThat(one.post(chat("hello", "")).statusCode()).isEqualTo(200);
            one.router.close();
            one.router.close();
            assertThat(two.post(chat("hello", "")).statusCode()).isEqualTo(200);
            assertThat(first.stats().requests()).isEqualTo(1);
            assertThat(second.stats().requests()).isEqualTo(1);
            await("no connection is left", () -> first.stats().connections() == 0);
        }
        assertThat(routerThreads()).containsExactlyInAnyOrderElementsOf(before);
    }

    private static Stream<Thread> routerThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.isAlive() && thread.getName().startsWith("tuna-router"));
    }

    @Test
    void closingLetsWhatFlowsComeToItsEnd() throws Exception {
        VllmStandIn slow = VllmStandIn.builder()
                .timeToFirstToken(Duration.ofMillis(50))
                .tokensPerSecond(20)
                .start();
        Bench bench = new Bench(RouterConfig.builder()
                .port(0)
                .shutdownGrace(Duration.ofSeconds(60))
                .build());
        try (slow;
                Socket client = bench.socket();
                Socket idle = bench.socket()) {
            bench.router.put(
                    Bench.route(List.of(), List.of(spot("spot-1", slow.uri())), dev.tuna.router.RoutePolicy.DEFAULT));
            send(client, raw(stream("hello")));
            readUntil(client, "\n\n");
            CompletableFuture<Void> closed = CompletableFuture.runAsync(bench::close);
            assertThat(readAll(idle)).isEmpty();
            assertThat(readAll(client)).contains("data: [DONE]");
            closed.get();
        }
    }

    @Test
    void closingCutsWhatDoesNotEnd() throws Exception {
        try (VllmStandIn stuck = VllmStandIn.start();
                Bench bench = new Bench(RouterConfig.builder()
                        .port(0)
                        .shutdownGrace(Duration.ofMillis(50))
                        .build());
                Socket client = bench.socket()) {
            stuck.inject(Fault.stall(Moment.atToken(2)));
            bench.router.put(
                    Bench.route(List.of(), List.of(spot("spot-1", stuck.uri())), dev.tuna.router.RoutePolicy.DEFAULT));
            send(client, raw(stream("hello")));
            readUntil(client, "\n\n");
            bench.router.close();
            assertThat(readAll(client)).doesNotContain("[DONE]");
            await("the replica was hung up on", () -> stuck.stats().connections() == 0);
        }
    }

    @Test
    void metricsAndHealthTellWhatHappened() throws Exception {
        try (Bench bench = new Bench()) {
            VllmStandIn replica = bench.standIn();
            bench.route(List.of(), List.of(spot("spot-1", replica.uri())));
            bench.post(stream("hello"));
            await(
                    "what was added is known once it was written",
                    () -> bench.router
                            .metrics()
                            .contains("tuna_router_overhead_seconds_count{deployment=\"tuna-1\"} 1"));
            assertThat(bench.router.metrics())
                    .contains("tuna_router_requests_total{deployment=\"tuna-1\",outcome=\"succeeded\"} 1")
                    .contains("gen_ai_server_time_to_first_token_seconds_count{deployment=\"tuna-1\",tier=\"spot\"} 1")
                    .contains(
                            "gen_ai_server_time_per_output_token_seconds_count{deployment=\"tuna-1\",tier=\"spot\"} 1")
                    .contains("gen_ai_server_request_duration_seconds_count{deployment=\"tuna-1\",tier=\"spot\"} 1")
                    .contains("tuna_router_overhead_seconds_bucket{deployment=\"tuna-1\",le=\"0.001\"}")
                    .contains("tuna_router_queue_wait_seconds_count{deployment=\"tuna-1\"} 0")
                    .contains("tuna_router_breakers{deployment=\"tuna-1\",state=\"closed\"} 1")
                    .contains("tuna_router_spot_share{deployment=\"tuna-1\"} 1");
            assertThat(bench.get("/router/metrics").body()).contains("tuna_router_requests_total");
            assertThat(bench.get("/router/livez").statusCode()).isEqualTo(200);
            assertThat(bench.get("/router/health").body()).contains("\"ready\"").doesNotContain("127.0.0.1");
            assertThat(bench.get("/router/nothing").statusCode()).isEqualTo(404);
            bench.router.remove("tuna-1");
            assertThat(bench.router.metrics()).doesNotContain("tuna-1");
        }
    }
}
