package dev.tuna.router.proxy;

import static dev.tuna.router.proxy.Bench.events;
import static dev.tuna.router.proxy.Bench.json;
import static dev.tuna.router.proxy.Bench.serverless;
import static dev.tuna.router.proxy.Bench.spot;
import static dev.tuna.router.proxy.Bench.stream;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.router.BackendFailure;
import dev.tuna.router.RoutePolicy;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.Fault.Kind;
import dev.tuna.testkit.vllm.Fault.Moment;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Once the client has seen tokens of a stream that is not continued, a failure is said honestly: one error event, no end mark. */
class MidStreamTest {

    private static final String HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
    private static final String CHUNKED = HEAD + "Transfer-Encoding: chunked\r\n\r\n";

    private final AtomicLong time = new AtomicLong();
    private final Bench bench = new Bench(time::get);
    private final VllmStandIn replica = bench.standIn();
    private final VllmStandIn cloud = bench.standIn();

    @AfterEach
    void close() {
        bench.close();
    }

    static Stream<Arguments> faults() {
        return Stream.of(
                Arguments.of("reset", Fault.reset(Moment.atToken(3))),
                Arguments.of("end", Fault.eof(Moment.atToken(3))),
                Arguments.of("silence", Fault.stall(Moment.atToken(3))),
                Arguments.of("abort and [DONE]", Fault.abort(3)),
                Arguments.of("error and [DONE]", Fault.errorEvent(3)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faults")
    @DisplayName("R-33 R2 a stream cut after its first token ends in an error event without [DONE]")
    void brokenStreamEndsInAnErrorEvent(String name, Fault fault) throws Exception {
        replica.inject(fault);
        RoutePolicy alert =
                Bench.POLICY.toBuilder().idleTimeout(Duration.ofSeconds(1)).build();
        bench.router.put(
                Bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", replica.uri())), alert));
        var later = Bench.client()
                .sendAsync(
                        bench.request(Bench.CHAT, stream("hello"), "x-tuna-continuation", "off"),
                        HttpResponse.BodyHandlers.ofString());
        if (name.equals("silence")) {
            bench.awaitFirstToken();
            Bench.passing(time, Duration.ofSeconds(1), "it is given up", later::isDone);
        }
        HttpResponse<String> answer = later.get();
        assertThat(answer.statusCode()).isEqualTo(200);
        List<String> events = events(answer.body());
        assertThat(events).doesNotContain("[DONE]").hasSizeGreaterThan(2);
        assertThat(events.stream().filter(event -> json(event).has("error"))).hasSize(1);
        assertThat(json(events.get(events.size() - 1))
                        .path("error")
                        .path("message")
                        .asText())
                .isNotEmpty();
        assertThat(answer.body()).doesNotContain("\"abort\"");
        assertThat(bench.failures).containsExactly(BackendFailure.MID_STREAM);
        var traffic = bench.settled();
        assertThat(traffic.failed()).isEqualTo(1);
        assertThat(traffic.succeeded()).isZero();
        assertThat(cloud.stats().requests()).isZero();
    }

    static Stream<Arguments> earlyFaults() {
        return Stream.of(Arguments.of("abort", Fault.abort(0)), Arguments.of("error", Fault.errorEvent(0)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("earlyFaults")
    @DisplayName("R2 a stream that gives up before its first token fails over")
    void aStreamThatGivesUpBeforeItsFirstTokenFailsOver(String name, Fault fault) throws Exception {
        replica.inject(fault);
        bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", replica.uri())));
        assertThat(events(bench.post(stream("hello")).body())).last().isEqualTo("[DONE]");
        assertThat(bench.settled().succeeded()).isEqualTo(1);
    }

    @Test
    void eventsCutIntoPiecesStayWhole() throws Exception {
        replica.inject(Fault.slowBody(7, Duration.ofMillis(1)));
        bench.route(List.of(), List.of(spot("spot-1", replica.uri())));
        List<String> events = events(bench.post(stream("hello")).body());
        assertThat(events).last().isEqualTo("[DONE]");
    }

    @Test
    void errorNeverLandsInsideAnEvent() throws Exception {
        RawBackend half = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say(CHUNKED);
            peer.chunk("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n");
            peer.chunk("data: {\"choices\":[{\"index\":0,\"del");
            peer.reset();
        }));
        bench.route(List.of(), List.of(spot("spot-1", half.uri())));
        List<String> events = events(bench.post(stream("hello")).body());
        assertThat(events).hasSize(2);
        assertThat(json(events.get(1)).has("error")).isTrue();
    }

    @Test
    @DisplayName("R-35 R5 every event arrives the moment it was sent")
    void everyEventArrivesAtOnce() throws Exception {
        java.util.concurrent.SynchronousQueue<String> next = new java.util.concurrent.SynchronousQueue<>();
        RawBackend paced = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say(CHUNKED);
            for (String event = next.take(); !event.isEmpty(); event = next.take()) {
                peer.chunk(event);
            }
            peer.say("0\r\n\r\n");
        }));
        bench.route(List.of(), List.of(spot("spot-1", paced.uri())));
        try (Socket client = bench.socket()) {
            Bench.send(client, Bench.raw(stream("hello")));
            for (int i = 0; i < 5; i++) {
                String event = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"t" + i + "\"}}]}\n\n";
                next.put(event);
                assertThat(Bench.readUntil(client, "\"t" + i + "\"}}]}\n\n")).contains("t" + i);
            }
            next.put("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n");
            next.put("data: [DONE]\n\n");
            Bench.readUntil(client, "data: [DONE]\n\n\r\n0\r\n\r\n");
            assertThat(bench.traffic().succeeded())
                    .as("counted once the client has it")
                    .isEqualTo(1);
            next.put("");
        }
    }

    @Test
    @DisplayName("R2 a stream that ends in good order but not at its end is no success")
    void aStreamWithoutAnEndIsNoSuccess() throws Exception {
        String event = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"abcde\"}}]}\n\n";
        RawBackend quiet =
                bench.own(RawBackend.always(HEAD + "Content-Length: " + event.length() + "\r\n\r\n" + event));
        bench.route(List.of(), List.of(spot("spot-1", quiet.uri())));
        List<String> events = events(bench.post(stream("hello")).body());
        assertThat(json(events.get(1)).has("error")).isTrue();
        assertThat(bench.settled().failed()).isEqualTo(1);
    }

    @Test
    @DisplayName("R4 a stream that falls silent in the middle gets signs of life")
    void aSilentRunningStreamGetsSignsOfLife() throws Exception {
        RawBackend slow = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say(CHUNKED);
            peer.chunk("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n");
            peer.awaitEnd();
        }));
        var policy = Bench.POLICY.toBuilder()
                .heartbeat(Duration.ofSeconds(10))
                .idleTimeout(Duration.ofDays(1))
                .build();
        bench.router.put(Bench.route(List.of(), List.of(spot("spot-1", slow.uri())), policy));
        try (Socket client = bench.socket()) {
            Bench.send(client, Bench.raw(stream("hello")));
            Bench.readUntil(client, "\"a\"}}]}\n\n\r\n");
            for (int i = 0; i < 2; i++) {
                time.addAndGet(policy.heartbeat().toNanos());
                Bench.readUntil(client, ": waiting\n\n\r\n");
            }
        }
        Bench.passing(time, Duration.ofSeconds(1), "the backend was hung up on", () -> slow.ended.size() == 1);
        assertThat(bench.settled().clientErrors()).isEqualTo(1);
    }

    @Test
    void gzippedStreamIsPassedOnUntouched() throws Exception {
        replica.inject(Fault.of(Kind.GZIP));
        bench.route(List.of(), List.of(spot("spot-1", replica.uri())));
        HttpResponse<byte[]> answer = Bench.client()
                .send(bench.request(Bench.CHAT, stream("hello")), HttpResponse.BodyHandlers.ofByteArray());
        assertThat(answer.headers().firstValue("content-encoding")).hasValue("gzip");
        try (var unzipped = new java.util.zip.GZIPInputStream(new java.io.ByteArrayInputStream(answer.body()))) {
            assertThat(events(new String(unzipped.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8)))
                    .last()
                    .isEqualTo("[DONE]");
        }
    }
}
