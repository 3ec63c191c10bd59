package dev.tuna.router.parity;

import static dev.tuna.router.parity.ParityRig.ADMIN_KEY;
import static dev.tuna.router.parity.ParityRig.CHAT;
import static dev.tuna.router.parity.ParityRig.KEY;
import static dev.tuna.router.parity.ParityRig.PROVIDER_TOKEN;
import static dev.tuna.router.parity.ParityRig.backend;
import static dev.tuna.router.parity.ParityRig.chat;
import static dev.tuna.router.parity.ParityRig.errorCode;
import static dev.tuna.router.parity.ParityRig.json;
import static dev.tuna.router.parity.ParityRig.rawChat;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.SpotState;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RouterConfig;
import dev.tuna.router.admin.UrlRoute;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.io.ByteArrayInputStream;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Endpoints and headers: what the original router gets wrong there, done right. */
class EndpointsParityTest {

    private final ParityRig rig = new ParityRig(RouterConfig.builder().maxBodyBytes(1 << 20));

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    @DisplayName("R-01 health tells states and counts to everybody and backends to admins only")
    void health() {
        VllmStandIn spot = rig.standIn();
        VllmStandIn cloud = rig.standIn();
        rig.spot(spot.uri()).serverless(cloud.uri());
        rig.ask("");
        rig.settled();

        String open = rig.get("/router/health").body();
        assertThat(json(open).path("skyserve_ready").asBoolean()).isTrue();
        assertThat(json(open).path("spot_state").asText()).isEqualTo("ready");
        assertThat(json(open).path("route_stats").path("total").asInt()).isEqualTo(1);
        assertThat(json(open).path("route_stats").path("spot").asInt()).isEqualTo(1);
        assertThat(open).doesNotContain(Integer.toString(spot.port()), Integer.toString(cloud.port()), "spot-1");

        String admin = rig.send(rig.request("/router/health").header("x-api-key", ADMIN_KEY))
                .body();
        assertThat(admin)
                .contains(spot.uri().toString(), cloud.uri().toString())
                .doesNotContain(PROVIDER_TOKEN, KEY);
        assertThat(rig.get("/router/livez").statusCode()).isEqualTo(200);
        assertThat(rig.get("/router/readyz").statusCode()).isEqualTo(200);
    }

    @Test
    @DisplayName("R-02 a client's key cannot re-point the backends")
    void configNeedsAnAdminKey() {
        rig.spot(rig.standIn().uri());
        String elsewhere = "{\"spot_url\":\"http://127.0.0.1:1\"}";

        assertThat(rig.post("/router/config", elsewhere, KEY).statusCode()).isEqualTo(403);
        assertThat(rig.post("/router/config", elsewhere, "guess").statusCode()).isEqualTo(401);
        HttpResponse<String> managed = rig.post("/router/config", elsewhere, ADMIN_KEY);
        assertThat(managed.statusCode()).isEqualTo(409);
        assertThat(errorCode(managed)).isEqualTo("managed_deployment");
        assertThat(backend(rig.ask(""))).isEqualTo("spot-1");
    }

    @Test
    @DisplayName("R-02 R-04 R-24 an admin's URLs are used from then on, replicas once they answer their health check")
    void adminSetsUrls() {
        VllmStandIn spot = rig.standIn();
        VllmStandIn cloud = rig.standIn();
        rig.router.serve(UrlRoute.builder("solo").publicAccess(true).healthEvery(Duration.ofMillis(100)));

        String serverless = "{\"serverless_url\":\"" + cloud.uri() + "\",\"serverless_auth_token\":\"t0ken\"}";
        assertThat(rig.post("/router/config", serverless, ADMIN_KEY).statusCode())
                .isEqualTo(200);
        assertThat(backend(rig.ask(""))).isEqualTo("serverless-1");
        assertThat(cloud.requests(CHAT))
                .singleElement()
                .satisfies(
                        request -> assertThat(request.headers("Authorization")).containsExactly("Bearer t0ken"));

        String replicas = "{\"replicas\":[\"" + spot.uri() + "\",\"http://127.0.0.1:9\"]}";
        assertThat(rig.post("/router/spot-replicas", replicas, ADMIN_KEY).statusCode())
                .isEqualTo(200);
        ParityRig.await("the replica has answered", () -> state("solo") == SpotState.READY);
        assertThat(spot.requests("/health")).isNotEmpty();
        assertThat(backend(rig.ask(""))).isEqualTo("spot-1");

        assertThat(rig.post("/router/spot-replicas", "{\"replicas\":[]}", ADMIN_KEY)
                        .statusCode())
                .isEqualTo(200);
        assertThat(state("solo")).isEqualTo(SpotState.COLD);
        assertThat(backend(rig.ask(""))).isEqualTo("serverless-1");
        assertThat(cloud.requests("/health")).as("serverless is never probed").isEmpty();
    }

    private SpotState state(String deployment) {
        return rig.router.load(deployment).orElseThrow().spotState();
    }

    @ParameterizedTest(name = "{0} {1}")
    @DisplayName("R-02 R-03 R-04, experiments 13 and 14: wrong admin calls are 400 and name the field")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "/router/config|not json|",
                "/router/config|{\"spot_url\":\"gopher://x\"}|spot_url",
                "/router/config|{\"spot_url\":\"http://169.254.169.254/latest/meta-data\"}|spot_url",
                "/router/config|{\"serverless_url\":\"http://metadata.google.internal/\"}|serverless_url",
                "/router/spot-replicas|{\"replicas\":\"three\"}|replicas",
                "/router/spot-replicas|{\"ready_replicas\":3}|ready_replicas",
            })
    void wrongAdminCalls(String page, String body, String param) {
        rig.spot(rig.standIn().uri());

        HttpResponse<String> answer = rig.post(page, body, ADMIN_KEY);

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(errorCode(answer)).isNotEmpty();
        assertThat(json(answer.body()).path("error").path("param").asText(null)).isEqualTo(param);
    }

    @ParameterizedTest(name = "{0} {1}")
    @DisplayName("R-05 R-06, experiment 15: scanners, probes and preflights are no traffic and see nothing")
    @CsvSource({
        "GET, /favicon.ico, 404",
        "GET, /, 404",
        "GET, /health, 404",
        "GET, /metrics, 404",
        "GET, /docs, 404",
        "GET, /openapi.json, 404",
        "POST, /invocations, 404",
        "POST, /sleep, 404",
        "GET, /v1/chat/completions, 405",
        "OPTIONS, /v1/chat/completions, 405",
        "HEAD, /v1/chat/completions, 405",
        "GET, /router/health, 200",
        "HEAD, /router/livez, 200",
        "GET, /router/nothing, 404",
    })
    void otherPaths(String method, String path, int status) {
        VllmStandIn spot = rig.standIn();
        rig.spot(spot.uri());

        HttpResponse<String> answer = rig.send(
                rig.request(path).header("Authorization", "Bearer " + KEY).method(method, BodyPublishers.noBody()));

        assertThat(answer.statusCode()).isEqualTo(status);
        assertThat(spot.requests()).isEmpty();
        assertThat(rig.load().traffic().requests()).isZero();
        assertThat(rig.load().traffic().rejected()).isZero();
    }

    @Test
    @DisplayName("R-07 without a key nobody learns whether there are backends")
    void keyBeforeBackends() {
        rig.put();

        HttpResponse<String> answer = rig.send(rig.request(CHAT).POST(BodyPublishers.ofString(chat(""))));

        assertThat(answer.statusCode()).isEqualTo(401);
        assertThat(errorCode(answer)).isEqualTo("invalid_api_key");
    }

    @Test
    @DisplayName("R-08 spot only and not ready: the request wakes the fleet, waits and is answered")
    void waitsForTheFirstReplica() throws Exception {
        VllmStandIn spot = rig.standIn();
        rig.put();

        CompletableFuture<HttpResponse<String>> answer = rig.askLater(chat(""));
        ParityRig.await("the request waits", () -> rig.load().traffic().waiting() == 1);
        assertThat(rig.demands).containsExactly("chat");
        rig.spot(spot.uri());

        assertThat(answer.get().statusCode()).isEqualTo(200);
        assertThat(backend(answer.get())).isEqualTo("spot-1");
    }

    @Test
    @DisplayName("R-08 what waits in vain gets 503 with Retry-After")
    void doesNotWaitForEver() {
        rig.policy(RoutePolicy.builder().waitLimit(Duration.ofMillis(200)));

        HttpResponse<String> answer = rig.ask("");

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(errorCode(answer)).isEqualTo("no_backend");
        assertThat(answer.headers().firstValue("Retry-After")).isPresent();
    }

    @Test
    @DisplayName("R-09 when every backend fails the client gets an OpenAI error object without internals")
    void upstreamFailure() throws Exception {
        RawBackend broken = rig.own(new RawBackend(connection -> {}));
        rig.serverless(broken.uri());

        HttpResponse<String> answer = rig.ask("");

        assertThat(answer.statusCode()).isEqualTo(502);
        assertThat(errorCode(answer)).isEqualTo("backend_failed");
        assertThat(answer.body())
                .doesNotContain(
                        "Exception", "127.0.0.1", Integer.toString(broken.uri().getPort()));
    }

    @Test
    @DisplayName("R-10 overload is 429 with Retry-After and an OpenAI error object")
    void overload() throws Exception {
        VllmStandIn slow = rig.standIn();
        slow.inject(Fault.stall(Fault.Moment.BEFORE_HEADERS));
        rig.policy(RoutePolicy.builder().maxInFlight(1)).serverless(slow.uri());
        CompletableFuture<HttpResponse<String>> first = rig.askLater(chat(""));
        ParityRig.await("the first is being served", () -> slow.stats().modelRequests() == 1);

        HttpResponse<String> second = rig.ask("");

        assertThat(second.statusCode()).isEqualTo(429);
        assertThat(second.headers().firstValue("Retry-After")).contains("1");
        assertThat(errorCode(second)).isEqualTo("too_many_requests");
        assertThat(rig.load().traffic().rejected()).isEqualTo(1);
        first.cancel(true);
    }

    @Test
    @DisplayName("R-11 hop-by-hop fields stay, the rest passes, the backend learns who called")
    void requestHeaders() throws Exception {
        RawBackend cloud = rig.own(RawBackend.answeringJson("{\"id\":1}"));
        rig.serverless(cloud.uri());

        rig.exchange(rawChat(
                CHAT,
                chat(""),
                "X-Odd: One",
                "x-odd: two",
                "X-Request-Id: id-7",
                "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "Connection: X-Hop",
                "X-Hop: secret",
                "Keep-Alive: 5",
                "TE: trailers",
                "Upgrade: h2c",
                "Cookie: session=1",
                "X-Forwarded-For: 203.0.113.9"));

        assertThat(cloud.request())
                .contains("X-Odd: One\r\n", "x-odd: two\r\n", "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736")
                .containsIgnoringCase("x-request-id: id-7\r\n")
                .containsIgnoringCase("x-forwarded-for: 203.0.113.9, 127.0.0.1\r\n")
                .containsIgnoringCase("x-forwarded-host: tuna.example\r\n")
                .containsIgnoringCase("host: 127.0.0.1:" + cloud.uri().getPort() + "\r\n")
                .doesNotContainIgnoringCase("x-hop", "keep-alive:", "te:", "upgrade", "cookie", KEY);
    }

    @Test
    @DisplayName("R-12, experiment 4: a compressed answer arrives as it was sent, label and bytes")
    void compressedAnswer() throws Exception {
        VllmStandIn spot = rig.standIn();
        spot.inject(Fault.of(Fault.Kind.GZIP));
        rig.spot(spot.uri());

        HttpResponse<byte[]> answer = rig.http.send(
                rig.request(CHAT)
                        .header("Authorization", "Bearer " + KEY)
                        .header("Accept-Encoding", "gzip")
                        .POST(BodyPublishers.ofString(chat("")))
                        .build(),
                BodyHandlers.ofByteArray());

        assertThat(answer.headers().firstValue("Content-Encoding")).contains("gzip");
        try (GZIPInputStream plain = new GZIPInputStream(new ByteArrayInputStream(answer.body()))) {
            JsonNode body = json(new String(plain.readAllBytes(), StandardCharsets.UTF_8));
            assertThat(body.path("object").asText()).isEqualTo("chat.completion");
        }
    }

    @Test
    @DisplayName("R-12 repeated answer fields stay apart, and an answer says which backend it is from")
    void answerHeaders() {
        VllmStandIn spot = rig.standIn();
        spot.inject(Fault.of(Fault.Kind.REPEATED_HEADERS));
        rig.spot(spot.uri());

        HttpResponse<String> answer = rig.ask("");

        assertThat(answer.headers().allValues("X-Repeated")).hasSize(2);
        assertThat(answer.headers().allValues("Set-Cookie"))
                .as("a backend's cookies are for its own host")
                .isEmpty();
        assertThat(backend(answer)).isEqualTo("spot-1");
        assertThat(answer.headers().allValues("Content-Length")).hasSize(1);
    }

    @ParameterizedTest(name = "{0}: {1}")
    @DisplayName("R-13 no path is changed on its way: it is taken as it is or refused")
    @CsvSource({
        "/v1/chat%2Fcompletions, 400",
        "/v1/chat/completions/, 404",
        "/v1/../metrics, 400",
        "/v1/%2e%2e/metrics, 400",
        "//v1/chat/completions, 400",
        "/v1//chat/completions, 400",
        "http://10.0.0.1/v1/chat/completions, 400",
        "/v1/v1/chat/completions, 200"
    })
    void paths(String target, int status) throws Exception {
        RawBackend cloud = rig.own(RawBackend.answeringJson("{}"));
        rig.serverless(cloud.uri());

        assertThat(rig.exchange(rawChat(target, chat("")))).startsWith("HTTP/1.1 " + status + " ");

        if (status == 200) {
            assertThat(cloud.request()).startsWith("POST /v1/chat/completions HTTP/1.1\r\n");
        } else {
            assertThat(cloud.requests).isEmpty();
        }
    }

    @ParameterizedTest
    @DisplayName("R-14, experiment 5: the query string arrives byte for byte")
    @ValueSource(strings = {"?q=a%20b%2Bc+d", "?", "?a=1&a=2&&=", "?x=%2f%2e%2e//..", "?%C3%A9=%zz", "?a?b/c:d@e"})
    void query(String query) throws Exception {
        RawBackend cloud = rig.own(RawBackend.answeringJson("{}"));
        rig.serverless(cloud.uri());

        rig.exchange(rawChat(CHAT + query, chat("")));

        assertThat(cloud.request()).startsWith("POST " + CHAT + query + " HTTP/1.1\r\n");
    }

    @Test
    @DisplayName("R-15, experiment 16: a body beyond the limit is 413, announced or not, and is not taken into memory")
    void bodyLimit() throws Exception {
        VllmStandIn spot = rig.standIn();
        rig.spot(spot.uri());
        try (Socket announced = rig.socket();
                Socket chunked = rig.socket()) {
            String head = "POST " + CHAT + " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + KEY + "\r\n";
            ParityRig.write(announced, head + "Content-Length: 52428800\r\n\r\n");
            assertThat(statusLine(announced)).startsWith("HTTP/1.1 413 ");

            ParityRig.write(chunked, head + "Transfer-Encoding: chunked\r\n\r\n");
            String chunk = "40000\r\n" + "a".repeat(0x40000) + "\r\n";
            for (int i = 0; i < 5; i++) {
                ParityRig.write(chunked, chunk);
            }
            assertThat(statusLine(chunked)).startsWith("HTTP/1.1 413 ");
        }
        assertThat(spot.requests()).isEmpty();
    }

    private static String statusLine(Socket socket) throws Exception {
        StringBuilder line = new StringBuilder();
        for (int c = socket.getInputStream().read();
                c != '\n' && c >= 0;
                c = socket.getInputStream().read()) {
            line.append((char) c);
        }
        return line.toString();
    }

    @Test
    @DisplayName("R-16 a backend's redirect is not followed")
    void redirect() throws Exception {
        RawBackend elsewhere = rig.own(RawBackend.answeringJson("{}"));
        RawBackend cloud = rig.own(RawBackend.answering(
                "HTTP/1.1 307 Temporary Redirect\r\nLocation: " + elsewhere.uri() + "/\r\nContent-Length: 0\r\n\r\n"));
        rig.serverless(cloud.uri());

        HttpResponse<String> answer = rig.ask("");

        assertThat(answer.statusCode()).isIn(307, 502);
        assertThat(elsewhere.requests).isEmpty();
        assertThat(cloud.request()).startsWith("POST ");
    }

    @Test
    void listsModelsToThoseWhoMayUseThem() {
        rig.put();
        HttpRequest.Builder models = rig.request("/v1/models").header("x-api-key", KEY);

        assertThat(json(rig.send(models).body()).path("data").path(0).path("id").asText())
                .isEqualTo(ParityRig.MODEL);
        assertThat(rig.get("/v1/models").statusCode()).isEqualTo(401);
    }
}
