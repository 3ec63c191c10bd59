package dev.tuna.router.proxy;

import static dev.tuna.router.proxy.Bench.chat;
import static dev.tuna.router.proxy.Bench.json;
import static dev.tuna.router.proxy.Bench.raw;
import static dev.tuna.router.proxy.Bench.readAll;
import static dev.tuna.router.proxy.Bench.readUntil;
import static dev.tuna.router.proxy.Bench.send;
import static dev.tuna.router.proxy.Bench.serverless;
import static dev.tuna.router.proxy.Bench.spot;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Secret;
import dev.tuna.api.Tier;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RouterConfig;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.Fault.Kind;
import dev.tuna.testkit.vllm.RecordedRequest;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** HTTP/1.1 as it is spoken on the wire, on both sides. */
@SuppressWarnings("StringConcatToTextBlock") // lines on the wire end in CR LF
class WireTest {

    private static final String BODY = chat("hello", ",\"max_tokens\":4");

    private final Bench bench = new Bench(
            RouterConfig.builder().port(0).ioThreads(1).maxBodyBytes(1 << 20).build());
    private final VllmStandIn replica = bench.standIn();

    @BeforeEach
    void route() {
        bench.route(List.of(), List.of(spot("spot-1", replica.uri())));
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private static int answers(String text) {
        return (int)
                Pattern.compile("HTTP/1\\.1 200 OK").matcher(text).results().count();
    }

    private RecordedRequest seen() {
        return replica.requests().get(replica.requests().size() - 1);
    }

    @Test
    void pipelinedRequestsAreAnsweredInOrder() throws Exception {
        try (Socket client = bench.socket()) {
            send(
                    client,
                    raw(chat("a", ",\"stream\":true"), "X-Request-Id: one") + raw(BODY, "X-Request-Id: two")
                            + "GET /v1/models HTTP/1.1\r\nHost: x\r\nX-Request-Id: three\r\n\r\n"
                            + raw(BODY, "X-Request-Id: four", "Connection: close"));
            String all = readAll(client);
            assertThat(answers(all)).isEqualTo(4);
            assertThat(Pattern.compile("x-request-id: (\\w+)")
                            .matcher(all)
                            .results()
                            .map(found -> found.group(1)))
                    .containsExactly("one", "two", "three", "four");
        }
        assertThat(bench.settled().succeeded()).isEqualTo(3);
    }

    @Test
    void aClientThatShutsItsSendingSideIsStillAnswered() throws Exception {
        bench.own(replica);
        try (VllmStandIn slow = VllmStandIn.builder()
                        .timeToFirstToken(Duration.ofMillis(800))
                        .start();
                Socket client = bench.socket()) {
            bench.route(List.of(), List.of(spot("spot-1", slow.uri())));
            send(client, raw(BODY));
            client.shutdownOutput();
            assertThat(readAll(client)).contains("HTTP/1.1 200 OK").contains("chat.completion");
        }
        assertThat(bench.settled().succeeded()).isEqualTo(1);
    }

    @Test
    void continueIsSaidBeforeTheBodyComes() throws Exception {
        try (Socket client = bench.socket()) {
            String request = raw(BODY, "Expect: 100-continue", "Connection: close");
            send(client, request.substring(0, request.length() - BODY.length()));
            assertThat(readUntil(client, "\r\n\r\n")).startsWith("HTTP/1.1 100 Continue");
            send(client, BODY);
            assertThat(readAll(client)).startsWith("HTTP/1.1 200 OK");
        }
        assertThat(seen().header("expect")).isEmpty();
    }

    @Test
    void chunkedRequestsAndTheirTrailersAreRead() throws Exception {
        try (Socket client = bench.socket()) {
            send(
                    client,
                    "POST /v1/v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                            + "Transfer-Encoding: chunked\r\n\r\n");
            for (int i = 0; i < BODY.length(); i += 7) {
                String piece = BODY.substring(i, Math.min(BODY.length(), i + 7));
                send(client, Integer.toHexString(piece.length()) + "\r\n" + piece + "\r\n");
            }
            send(client, "0\r\nX-Trailer: t\r\n\r\n" + raw(BODY, "Connection: close"));
            assertThat(answers(readAll(client))).isEqualTo(2);
        }
        assertThat(replica.requests()).allMatch(request -> request.path().equals(Bench.CHAT));
        assertThat(replica.requests().get(0).bodyText()).isEqualTo(BODY);
    }

    @Test
    void anOfferToSwitchToHttp2IsIgnored() throws Exception {
        try (Socket client = bench.socket()) {
            send(
                    client,
                    raw(
                            BODY,
                            "Connection: Upgrade, HTTP2-Settings, close",
                            "Upgrade: h2c",
                            "HTTP2-Settings: AAMAAABk"));
            assertThat(readAll(client)).startsWith("HTTP/1.1 200 OK");
        }
        assertThat(seen().header("upgrade")).isEmpty();
        assertThat(seen().header("http2-settings")).isEmpty();
    }

    @Test
    void http10IsAnsweredWithoutChunks() throws Exception {
        try (Socket client = bench.socket()) {
            send(client, raw(chat("a", ",\"stream\":true,\"max_tokens\":3")).replace("HTTP/1.1", "HTTP/1.0"));
            String all = readAll(client);
            assertThat(all).endsWith("data: [DONE]\n\n").containsIgnoringCase("connection: close");
            assertThat(all).doesNotContainIgnoringCase("transfer-encoding");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 5\r\nTransfer-Encoding: chunked",
                "Transfer-Encoding: chunked\r\nContent-Length: 5",
                "Content-Length: 5\r\nContent-Length: 6",
                "Content-Length: 5\r\nContent-Length: 5",
                "Content-Length: +5",
                "Content-Length: 5, 5",
                "Transfer-Encoding: xchunked",
                "Transfer-Encoding: chunked, chunked",
                "Transfer-Encoding : chunked",
                "Transfer-Encoding: identity",
                "Bad Name: x",
                "Host: other"
            })
    void requestsThatCouldBeReadInTwoWaysAreRefused(String headers) throws Exception {
        try (Socket client = bench.socket()) {
            send(
                    client,
                    "POST " + Bench.CHAT + " HTTP/1.1\r\nHost: x\r\n" + headers
                            + "\r\n\r\n0\r\n\r\nGET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n");
            String all = readAll(client);
            assertThat(all).startsWith("HTTP/1.1 400 Bad Request").containsIgnoringCase("connection: close");
            assertThat(answers(all)).isZero();
        }
        assertThat(replica.stats().requests()).isZero();
    }

    @Test
    @DisplayName("R-15 a body beyond the limit is refused before it is read")
    void longBodiesAreRefused() throws Exception {
        try (Socket client = bench.socket()) {
            send(client, "POST " + Bench.CHAT + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n");
            assertThat(readAll(client)).startsWith("HTTP/1.1 413");
        }
        try (Socket client = bench.socket()) {
            send(client, "POST " + Bench.CHAT + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
            String piece = "10000\r\n" + "x".repeat(0x10000) + "\r\n";
            for (int i = 0; i < 17; i++) {
                send(client, piece);
            }
            assertThat(readAll(client)).startsWith("HTTP/1.1 413");
        }
        assertThat(replica.stats().requests()).isZero();
    }

    @Test
    void slowHeadsAndBodiesAreGivenUp() throws Exception {
        RouterConfig impatient = RouterConfig.builder()
                .port(0)
                .headerTimeout(Duration.ofMillis(200))
                .build();
        try (Bench quick = new Bench(impatient);
                Socket head = quick.socket();
                Socket body = quick.socket()) {
            quick.route(List.of(), List.of(spot("spot-1", replica.uri())));
            send(head, "GET /v1/models HTTP/1.1\r\nHo");
            send(body, "POST " + Bench.CHAT + " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
            assertThat(readAll(head)).startsWith("HTTP/1.1 408");
            assertThat(readAll(body)).startsWith("HTTP/1.1 408");
        }
    }

    @Test
    void longHeadsAreRefused() throws Exception {
        try (Socket client = bench.socket()) {
            send(client, "GET /v1/models HTTP/1.1\r\nHost: x\r\nX-Long: " + "x".repeat(40_000) + "\r\n\r\n");
            assertThat(readAll(client)).startsWith("HTTP/1.1 431");
        }
        try (Socket client = bench.socket()) {
            send(client, "GET /v1/models?" + "x".repeat(40_000) + " HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(readAll(client)).startsWith("HTTP/1.1 414");
        }
    }

    @Test
    void headHasALengthAndNoBody() throws Exception {
        try (Socket client = bench.socket()) {
            send(
                    client,
                    "HEAD /v1/models HTTP/1.1\r\nHost: x\r\n\r\n"
                            + "GET /v1/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            String all = readAll(client);
            assertThat(answers(all)).isEqualTo(2);
            assertThat(all.indexOf("{")).isGreaterThan(all.lastIndexOf("HTTP/1.1 200 OK"));
        }
    }

    @Test
    @DisplayName("R-14 R-11 R-20 query and headers arrive as sent, credentials stay here")
    void requestHeadersPass() throws Exception {
        RouteBackend guarded = new RouteBackend(
                "spot-1",
                Tier.SPOT,
                new BackendAddress(
                        replica.uri(),
                        Optional.of(Credential.bearer(Secret.of("BACKEND"))),
                        "/health",
                        Optional.empty(),
                        0),
                false);
        bench.route(List.of(), List.of(guarded));
        try (Socket client = bench.socket()) {
            send(
                    client,
                    raw(
                                    BODY,
                                    "Authorization: Bearer CLIENT",
                                    "x-api-key: CLIENT",
                                    "X-Repeated: 1",
                                    "X-Repeated: 2",
                                    "X-Hop: secret",
                                    "traceparent: 00-abc-def-01",
                                    "Connection: close, X-Hop")
                            .replace(Bench.CHAT, Bench.CHAT + "?q=a%20b%2Bc+d"));
            assertThat(readAll(client)).startsWith("HTTP/1.1 200 OK");
        }
        RecordedRequest request = seen();
        assertThat(request.target()).isEqualTo(Bench.CHAT + "?q=a%20b%2Bc+d");
        assertThat(request.headers("authorization")).containsExactly("Bearer BACKEND");
        assertThat(request.headers("x-repeated")).containsExactly("1", "2");
        assertThat(request.header("x-api-key")).isEmpty();
        assertThat(request.header("x-hop")).isEmpty();
        assertThat(request.header("traceparent")).hasValue("00-abc-def-01");
        assertThat(request.header("x-request-id")).isPresent();
    }

    @Test
    @DisplayName("R-12 answer headers pass, repeated ones too, what belongs to the backend's host does not")
    void answerHeadersPass() throws Exception {
        replica.inject(Fault.of(Kind.REPEATED_HEADERS));
        HttpResponse<String> answer = bench.post(BODY, "X-Request-Id", "mine");
        assertThat(answer.headers().allValues("x-repeated")).hasSize(2);
        assertThat(answer.headers().firstValue("set-cookie")).isEmpty();
        assertThat(answer.headers().firstValue("server")).isEmpty();
        assertThat(answer.headers().firstValue("x-request-id")).hasValue("mine");
        assertThat(answer.headers().firstValue("x-tuna-backend")).hasValue("spot-1");
    }

    @Test
    @DisplayName("R5 events are asked for uncompressed")
    void eventsAreAskedForUncompressed() throws Exception {
        bench.post(chat("a", ",\"stream\":true"), "Accept-Encoding", "gzip");
        assertThat(seen().header("accept-encoding")).isEmpty();
        bench.post(BODY, "Accept-Encoding", "gzip");
        assertThat(seen().header("accept-encoding")).hasValue("gzip");
    }

    @Test
    @DisplayName("R-12 a gzipped answer arrives as it was sent")
    void gzipIsUntouched() throws Exception {
        replica.inject(Fault.of(Kind.GZIP));
        HttpResponse<byte[]> answer =
                Bench.client().send(bench.request(Bench.CHAT, BODY), HttpResponse.BodyHandlers.ofByteArray());
        assertThat(answer.headers().firstValue("content-encoding")).hasValue("gzip");
        assertThat(answer.body()).startsWith(0x1f, 0x8b);
    }

    @Test
    void internalFieldsNeverReachABackend() throws Exception {
        bench.post(chat("hello", ",\"kv_transfer_params\":{\"prompt_token_ids\":[1]},\"max_tokens\":4"));
        assertThat(seen().bodyText()).isEqualTo(BODY);
    }

    @Test
    @DisplayName("R-16 interim answers are swallowed, redirects passed on")
    void interimAnswersAndRedirects() throws Exception {
        RawBackend backend = bench.own(RawBackend.always("HTTP/1.1 100 Continue\r\n\r\n"
                + "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                + "HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"));
        bench.route(List.of(serverless("cloud", backend.uri())), List.of());
        for (int i = 0; i < 2; i++) {
            HttpResponse<String> answer = bench.post(BODY);
            assertThat(answer.statusCode()).isEqualTo(307);
            assertThat(answer.headers().firstValue("location")).hasValue("/elsewhere");
        }
        assertThat(backend.connections()).isEqualTo(1);
    }

    @Test
    void closeDelimitedAnswersAreUnderstood() throws Exception {
        RawBackend backend = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"old\":");
            peer.say("true}");
        }));
        bench.route(List.of(), List.of(spot("spot-1", backend.uri())));
        assertThat(bench.post(BODY).body()).isEqualTo("{\"old\":true}");
        assertThat(bench.post(BODY).body()).isEqualTo("{\"old\":true}");
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(ints = {400, 404, 409, 413, 422})
    @DisplayName("R-26 R8 an error of the client's making passes unchanged, is not tried again and harms nobody")
    void clientErrorsPass(int status) throws Exception {
        VllmStandIn cloud = bench.standIn();
        bench.route(List.of(Bench.serverless("cloud", cloud.uri())), List.of(spot("spot-1", replica.uri())));
        replica.inject(Fault.status(status));
        for (int i = 0; i < 8; i++) {
            HttpResponse<String> answer = bench.post(i % 2 == 0 ? BODY : chat("a", ",\"stream\":true"));
            assertThat(answer.statusCode()).isEqualTo(status);
            assertThat(json(answer.body()).path("error").path("code").asInt()).isEqualTo(status);
        }
        assertThat(bench.failures).isEmpty();
        assertThat(cloud.stats().requests()).isZero();
        assertThat(bench.settled().clientErrors()).isEqualTo(8);
        assertThat(bench.load().backend("spot-1").available()).isTrue();
    }

    @Test
    @DisplayName("what a backend sends behind its answer is not taken for the answer of the next request")
    void nothingBehindAnAnswerIsAnAnswer() throws Exception {
        AtomicInteger count = new AtomicInteger();
        RawBackend backend = bench.own(new RawBackend(peer -> {
            while (!peer.request().isEmpty()) {
                String body = "{\"number\":" + count.incrementAndGet() + "}";
                String answer = "HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
                peer.say(answer + answer);
            }
        }));
        bench.route(List.of(), List.of(spot("spot-1", backend.uri())));
        try (Socket client =
                bench.socket()) { // all at once, so that each request is ready when the answer before it ends
            send(client, raw(BODY) + raw(BODY) + raw(BODY, "Connection: close"));
            assertThat(Pattern.compile("\"number\":(\\d)")
                            .matcher(readAll(client))
                            .results()
                            .map(found -> found.group(1)))
                    .containsExactly("1", "2", "3");
        }
    }

    @Test
    void aConnectionThatTheBackendClosedMeanwhileIsReplacedUnnoticed() throws Exception {
        RawBackend backend = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
            if (!peer.request().isEmpty()) {
                peer.reset(); // as if it had closed just before the request came
            }
        }));
        bench.route(List.of(), List.of(spot("spot-1", backend.uri())));
        for (int i = 0; i < 6; i++) {
            assertThat(bench.post(BODY).statusCode()).isEqualTo(200);
        }
        assertThat(bench.failures).isEmpty();
    }

    @Test
    @DisplayName("R-05 R-06 paths that are not listed never reach a backend")
    void otherPathsAreRefused() throws Exception {
        for (String path : List.of("/docs", "/openapi.json", "/metrics", "/favicon.ico", "/v1/unknown")) {
            HttpResponse<String> answer = bench.get(path);
            assertThat(answer.statusCode()).isEqualTo(404);
            assertThat(json(answer.body()).path("error").path("message").asText())
                    .contains(path);
        }
        assertThat(bench.get(Bench.CHAT).statusCode()).isEqualTo(405);
        assertThat(replica.stats().requests()).isZero();
        assertThat(bench.traffic().requests()).isZero();
    }
}
