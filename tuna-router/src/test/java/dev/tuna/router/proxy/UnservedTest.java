package dev.tuna.router.proxy;

import static dev.tuna.router.proxy.Bench.chat;
import static dev.tuna.router.proxy.Bench.json;
import static dev.tuna.router.proxy.Bench.serverless;
import static dev.tuna.router.proxy.Bench.stream;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Tier;
import dev.tuna.router.BackendFailure;
import dev.tuna.router.BreakerPhase;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RoutePolicy;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.UnservedAnswer;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A serverless cloud's front end says in its own words that nobody has served a request; the client never hears of it. */
class UnservedTest {

    private static final UnservedAnswer COLD =
            new UnservedAnswer(400, "timed out waiting for worker", Duration.ofSeconds(5));
    private static final UnservedAnswer BROKEN = new UnservedAnswer(200, "\"type\":\"worker_error\"", Duration.ZERO);

    private static final String COLD_ANSWER = answer(400, "{\"error\":\"Timed out waiting for worker\"}");
    private static final String BROKEN_ANSWER =
            answer(200, "{\"error\":{\"message\":\"out of memory\",\"type\":\"worker_error\",\"code\":500}}");

    private final AtomicLong time = new AtomicLong();
    private final Bench bench = new Bench(time::get);

    @AfterEach
    void close() {
        bench.close();
    }

    private static String answer(int status, String body) {
        return "HTTP/1.1 " + status + " Whatever\r\nContent-Type: application/json\r\nContent-Length: " + body.length()
                + "\r\n\r\n" + body;
    }

    private static RouteBackend cloud(String id, URI url) {
        return RouteBackend.of(id, Tier.SERVERLESS, BackendAddress.of(url).withUnserved(List.of(COLD, BROKEN)));
    }

    private RawBackend saying(String answer) throws IOException {
        return bench.own(RawBackend.always(answer));
    }

    @ParameterizedTest(name = "stream {0}")
    @ValueSource(booleans = {true, false})
    @DisplayName("a request that no worker has taken is served by the next endpoint and is nobody's fault")
    void coldEndpointFailsOver(boolean streamed) throws Exception {
        RawBackend cold = saying(COLD_ANSWER);
        VllmStandIn good = bench.standIn();
        bench.route(List.of(cloud("cold", cold.uri()), serverless("good", good.uri())), List.of());
        HttpResponse<String> answer = bench.post(streamed ? stream("hello") : chat("hello", ""));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("x-tuna-backend")).hasValue("good");
        assertThat(cold.requests).as("asked once, with token ids or without").hasSize(1);
        assertThat(bench.failures).containsExactly(BackendFailure.OVERLOADED);
        var traffic = bench.settled();
        assertThat(traffic.failedOver()).isEqualTo(1);
        assertThat(traffic.clientErrors()).isZero();
        assertThat(bench.load().backend("cold").breaker()).isEqualTo(BreakerPhase.COOLING);
    }

    @Test
    @DisplayName("an endpoint that is the only one is asked again until a worker has taken the request")
    void coldEndpointIsAskedAgain() throws Exception {
        AtomicInteger left = new AtomicInteger(3);
        RawBackend waking = bench.own(new RawBackend(peer -> {
            for (String request = peer.request(); !request.isEmpty(); request = peer.request()) {
                boolean stillCold = left.getAndDecrement() > 0;
                peer.say(stillCold ? COLD_ANSWER : answer(200, "{\"choices\":[{\"finish_reason\":\"stop\"}]}"));
            }
        }));
        bench.route(List.of(cloud("cloud", waking.uri())), List.of());
        CompletableFuture<HttpResponse<String>> answer = later(chat("hello", ""));
        timePassesUntil(answer);
        assertThat(answer.get().statusCode()).isEqualTo(200);
        assertThat(waking.requests).hasSize(4);
        assertThat(bench.settled().succeeded()).isEqualTo(1);
        assertThat(bench.settled().clientErrors()).isZero();
    }

    @Test
    @DisplayName("a client whose request is never taken is told to come back, not that its request is wrong")
    void neverServed() throws Exception {
        RoutePolicy patient = Bench.POLICY.toBuilder()
                .deadline(Duration.ofHours(1)) // what ends it is the wait, whether an attempt is under way or not
                .build();
        bench.router.put(Bench.route(List.of(cloud("cloud", saying(COLD_ANSWER).uri())), List.of(), patient));
        CompletableFuture<HttpResponse<String>> answer = later(chat("hello", ""));
        timePassesUntil(answer);
        assertThat(answer.get().statusCode()).isEqualTo(503);
        assertThat(answer.get().headers().firstValue("retry-after")).isPresent();
        assertThat(answer.get().body()).doesNotContainIgnoringCase("worker");
        assertThat(bench.settled().failed()).isEqualTo(1);
    }

    @Test
    @DisplayName("a client that has no time to wait until the endpoint is asked again is told when to come back")
    void noTimeToAskAgain() throws Exception {
        RoutePolicy hasty =
                Bench.POLICY.toBuilder().waitLimit(Duration.ofSeconds(2)).build();
        bench.router.put(Bench.route(List.of(cloud("cloud", saying(COLD_ANSWER).uri())), List.of(), hasty));
        HttpResponse<String> answer = bench.post(chat("hello", ""));
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.headers().firstValue("retry-after")).hasValue("5");
        assertThat(json(answer.body()).at("/error/code").asText()).isEqualTo("backends_resting");
    }

    @Test
    @DisplayName("a server's own 400 is the client's, whatever its front end may say in other answers")
    void realRefusalIsTheClients() throws Exception {
        RawBackend strict = saying(answer(400, "{\"error\":{\"message\":\"max_tokens is too high\"}}"));
        VllmStandIn good = bench.standIn();
        bench.route(List.of(cloud("strict", strict.uri()), serverless("good", good.uri())), List.of());
        HttpResponse<String> answer = bench.post(chat("hello", ""));
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("max_tokens is too high");
        assertThat(bench.settled().clientErrors()).isEqualTo(1);
    }

    @ParameterizedTest(name = "stream {0}")
    @ValueSource(booleans = {true, false})
    @DisplayName(
            "an error with the status of success is an error: the next endpoint answers, and the breaker counts it")
    void errorInSuccess(boolean streamed) throws Exception {
        VllmStandIn good = bench.standIn();
        bench.route(List.of(cloud("broken", saying(BROKEN_ANSWER).uri()), serverless("good", good.uri())), List.of());
        for (int i = 0; i < 6; i++) {
            HttpResponse<String> answer = bench.post(streamed ? stream("hello") : chat("hello", ""));
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.body()).contains("choices");
        }
        assertThat(bench.settled().succeeded()).isEqualTo(6);
        assertThat(bench.failures).hasSize(5).containsOnly(BackendFailure.SERVER_ERROR);
        assertThat(bench.load().backend("broken").breaker()).isEqualTo(BreakerPhase.OPEN);
    }

    @Test
    void errorInSuccessIsNotPassedOnAsSuccess() throws Exception {
        bench.route(List.of(cloud("broken", saying(BROKEN_ANSWER).uri())), List.of());
        HttpResponse<String> answer = bench.post(chat("hello", ""));
        assertThat(answer.statusCode()).isEqualTo(502);
        assertThat(json(answer.body()).at("/error/type").asText()).isEqualTo("server_error");
    }

    @Test
    @DisplayName("a model may write about the words of a front end")
    void modelWritesTheWords() throws Exception {
        String text = "{\"choices\":[{\"message\":{\"content\":\"{\\\"type\\\":\\\"worker_error\\\"}\"},"
                + "\"finish_reason\":\"stop\"}]}";
        bench.route(List.of(cloud("cloud", saying(answer(200, text)).uri())), List.of());
        assertThat(bench.post(chat("hello", "")).body()).isEqualTo(text);
        assertThat(bench.settled().succeeded()).isEqualTo(1);
    }

    @Test
    @DisplayName("what may be a front end's words is asked for uncompressed")
    void asksForWhatItCanRead() throws Exception {
        RawBackend cloud = saying(answer(200, "{\"choices\":[{\"finish_reason\":\"stop\"}]}"));
        RawBackend plain = saying(answer(200, "{\"choices\":[{\"finish_reason\":\"stop\"}]}"));
        bench.route(List.of(cloud("cloud", cloud.uri())), List.of());
        bench.post(chat("hello", ""), "Accept-Encoding", "gzip");
        bench.route(List.of(serverless("plain", plain.uri())), List.of());
        bench.post(chat("hello", ""), "Accept-Encoding", "gzip");
        assertThat(cloud.requests).singleElement().asString().doesNotContainIgnoringCase("accept-encoding");
        assertThat(plain.requests).singleElement().asString().containsIgnoringCase("accept-encoding: gzip");
    }

    /** Time stands while an attempt is under way, which might be thought lost otherwise. */
    private void timePassesUntil(CompletableFuture<?> answered) {
        Bench.await("it is answered", () -> {
            if (bench.load().backend("cloud").inFlight() == 0) {
                time.addAndGet(Duration.ofSeconds(1).toNanos());
            }
            return answered.isDone();
        });
    }

    private CompletableFuture<HttpResponse<String>> later(String body) {
        return Bench.client().sendAsync(bench.request(Bench.CHAT, body), HttpResponse.BodyHandlers.ofString());
    }
}
