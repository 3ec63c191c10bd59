package dev.tuna.router.proxy;

import static dev.tuna.router.proxy.Bench.await;
import static dev.tuna.router.proxy.Bench.chat;
import static dev.tuna.router.proxy.Bench.events;
import static dev.tuna.router.proxy.Bench.json;
import static dev.tuna.router.proxy.Bench.serverless;
import static dev.tuna.router.proxy.Bench.spot;
import static dev.tuna.router.proxy.Bench.stream;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.Tier;
import dev.tuna.router.BackendFailure;
import dev.tuna.router.RoutePolicy;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.Fault.Moment;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.io.IOException;
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
import org.junit.jupiter.params.provider.ValueSource;

/** Before the client has seen anything of an answer, another backend takes over and nobody notices. */
class FailoverTest {

    private final Bench bench = new Bench();
    private final VllmStandIn bad = bench.standIn();
    private final VllmStandIn good = bench.standIn();

    @AfterEach
    void close() {
        bench.close();
    }

    private void spotThenServerless() {
        bench.route(List.of(serverless("cloud", good.uri())), List.of(spot("spot-1", bad.uri())));
    }

    static Stream<Arguments> failures() {
        return Stream.of(
                Arguments.of("refused", Fault.refuse(), BackendFailure.CONNECT),
                Arguments.of("500", Fault.status(500), BackendFailure.SERVER_ERROR),
                Arguments.of("502", Fault.status(502), BackendFailure.SERVER_ERROR),
                Arguments.of("503", Fault.status(503), BackendFailure.SERVER_ERROR),
                Arguments.of("408", Fault.status(408), BackendFailure.OVERLOADED),
                Arguments.of("425", Fault.status(425), BackendFailure.OVERLOADED),
                Arguments.of("429", Fault.tooManyRequests(Duration.ofSeconds(9)), BackendFailure.OVERLOADED),
                Arguments.of("reset before headers", Fault.reset(Moment.BEFORE_HEADERS), BackendFailure.NO_ANSWER),
                Arguments.of("end before headers", Fault.eof(Moment.BEFORE_HEADERS), BackendFailure.NO_ANSWER),
                Arguments.of("reset after headers", Fault.reset(Moment.AFTER_HEADERS), BackendFailure.NO_ANSWER),
                Arguments.of("end after headers", Fault.eof(Moment.AFTER_HEADERS), BackendFailure.NO_ANSWER),
                Arguments.of("reset after the role", Fault.reset(Moment.atToken(0)), BackendFailure.NO_ANSWER),
                Arguments.of("end after the role", Fault.eof(Moment.atToken(0)), BackendFailure.NO_ANSWER));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("failures")
    @DisplayName(
            "R-26 R-38 a stream that fails before its first token is answered by the next backend and counted once")
    void streamFailsOver(String name, Fault fault, BackendFailure kind) throws Exception {
        bad.inject(fault);
        spotThenServerless();
        HttpResponse<String> answer = bench.post(stream("hello"));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(events(answer.body())).last().isEqualTo("[DONE]");
        assertThat(answer.headers().firstValue("x-tuna-backend")).hasValue("cloud");
        assertThat(bench.failures).containsExactly(kind);
        var traffic = bench.settled();
        assertThat(traffic.requests()).isEqualTo(1);
        assertThat(traffic.succeeded()).isEqualTo(1);
        assertThat(traffic.failedOver()).isEqualTo(1);
        assertThat(traffic.byTier()).containsEntry(Tier.SERVERLESS, 1L).containsEntry(Tier.SPOT, 0L);
        assertThat(bench.load().backend("spot-1").failures()).isEqualTo(1);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("failures")
    void unaryAnswerFailsOver(String name, Fault fault, BackendFailure kind) throws Exception {
        bad.inject(fault);
        spotThenServerless();
        HttpResponse<String> answer = bench.post(chat("hello", ",\"max_tokens\":8"));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(json(answer.body()).path("object").asText()).isEqualTo("chat.completion");
        assertThat(bench.failures).containsExactly(kind);
        assertThat(bench.settled().succeeded()).isEqualTo(1);
    }

    @Test
    @DisplayName("R-38 R2 an answer that its server gave up when it was told to stop is no answer, whatever its status")
    void abortedAnswerFailsOver() throws Exception {
        bad.inject(Fault.abort(3));
        spotThenServerless();
        HttpResponse<String> answer = bench.post(chat("hello", ",\"max_tokens\":8"));
        assertThat(json(answer.body()).at("/choices/0/finish_reason").asText()).isEqualTo("length");
        assertThat(bench.failures).containsExactly(BackendFailure.SERVER_ERROR);
        good.inject(Fault.abort(3));
        assertThat(bench.post(chat("hello", "")).statusCode())
                .as("nobody has another one")
                .isEqualTo(502);
    }

    @Test
    @DisplayName("an answer too long to be held is cut if its end says that it was given up")
    void longAbortedAnswerIsCut() throws Exception {
        String end = "\"},\"finish_reason\":\"abort\"}]}";
        RawBackend raw = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
            peer.chunk("{\"choices\":[{\"index\":0,\n \"message\":{\"content\":\"" + "x".repeat(2 << 20));
            peer.chunk(end);
            peer.say("0\r\n\r\n");
            peer.awaitEnd();
        }));
        bench.route(List.of(), List.of(spot("spot-1", raw.uri())));
        assertThatThrownBy(() -> bench.post(chat("hello", ""))).isInstanceOf(IOException.class);
        assertThat(bench.settled().failed()).isEqualTo(1);
    }

    @Test
    @DisplayName("P-61 the next serverless endpoint catches what the first one does not answer, in their order")
    void theNextServerlessEndpointCatches() throws Exception {
        VllmStandIn third = bench.standIn();
        bench.route(
                List.of(
                        serverless("first", bad.uri()),
                        serverless("second", good.uri()),
                        serverless("third", third.uri())),
                List.of());
        bad.inject(Fault.status(503));
        assertThat(bench.post(chat("hello", ",\"max_tokens\":4")).statusCode()).isEqualTo(200);
        assertThat(good.requests()).hasSize(1);
        assertThat(third.requests()).isEmpty();
    }

    @Test
    @DisplayName("R3 a replica that stalls before its first token is replaced, and hung up on")
    void replicaThatStallsBeforeItsFirstTokenIsReplaced() throws Exception {
        bad.inject(Fault.stall(Moment.atToken(0)));
        AtomicLong time = new AtomicLong();
        try (Bench timed = new Bench(time::get)) {
            timed.route(List.of(serverless("cloud", good.uri())), List.of(spot("spot-1", bad.uri())));
            var answer = Bench.client()
                    .sendAsync(timed.request(Bench.CHAT, stream("hello")), HttpResponse.BodyHandlers.ofString());
            await("the replica has it", () -> bad.stats().modelRequests() == 1);
            time.addAndGet(Bench.POLICY.firstTokenTimeout().toNanos());
            assertThat(events(answer.get().body())).last().isEqualTo("[DONE]");
            assertThat(timed.failures).containsExactly(BackendFailure.SLOW_FIRST_TOKEN);
        }
        await(
                "hung up on the stalled replica",
                () -> bad.stats().aborted() + bad.stats().faulted() == 1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 99 what",
                "HTTP/1.1 20 0 OK",
                "HTTP/1.1 2000 OK",
                "HTTP/1.1 0",
                "ICY 200 OK",
                "HTTP/2 200"
            })
    @DisplayName("what is no status line of HTTP/1.1 is no answer")
    void noStatusLine(String line) throws Exception {
        RawBackend strange = bench.own(RawBackend.always(line + "\r\nContent-Length: 2\r\n\r\n{}"));
        bench.route(List.of(serverless("cloud", good.uri())), List.of(spot("spot-1", strange.uri())));
        assertThat(Bench.text(bench.post(stream("hello")).body())).isNotEmpty();
        assertThat(bench.failures).containsExactly(BackendFailure.PROTOCOL);
    }

    @Test
    @DisplayName("R9 a stream that begins well and breaks is a failure of its backend, and no success before that")
    void outcomesAreRecordedAtTheEnd() throws Exception {
        bench.router.put(Bench.route(
                List.of(),
                List.of(spot("spot-1", bad.uri())),
                Bench.POLICY.toBuilder()
                        .breaker(new RoutePolicy.Breaker(3, Duration.ofMinutes(5), 1, 2, Duration.ZERO))
                        .build()));
        bad.inject(Fault.eof(Moment.atToken(3)));
        for (int i = 0; i < 3; i++) {
            assertThat(bench.load().backend("spot-1").available()).isTrue();
            bench.post(stream("hello"), "x-tuna-continuation", "off");
            bench.settled();
        }
        assertThat(bench.load().backend("spot-1").available()).isFalse();
        assertThat(bench.traffic().failed()).isEqualTo(3);
    }

    @Test
    @DisplayName("R5 a stream passes as the model said it, and asks those in between not to hold it back")
    void streamPassesEveryTokenOfTheModelsAnswer() throws Exception {
        spotThenServerless();
        HttpResponse<String> direct = Bench.client()
                .send(
                        java.net.http.HttpRequest.newBuilder(bad.uri().resolve(Bench.CHAT))
                                .header("Content-Type", "application/json")
                                .POST(java.net.http.HttpRequest.BodyPublishers.ofString(stream("hello")))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        HttpResponse<String> answer = bench.post(stream("hello"));
        assertThat(Bench.text(answer.body())).isNotEmpty().isEqualTo(Bench.text(direct.body()));
        assertThat(events(answer.body())).hasSameSizeAs(events(direct.body()));
        assertThat(answer.headers().firstValue("x-accel-buffering")).hasValue("no");
        assertThat(answer.headers().firstValue("cache-control")).hasValue("no-cache");
        assertThat(good.stats().requests()).isZero();
    }
}
