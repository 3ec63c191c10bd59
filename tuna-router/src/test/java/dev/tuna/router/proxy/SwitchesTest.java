package dev.tuna.router.proxy;

import static dev.tuna.router.proxy.Bench.chat;
import static dev.tuna.router.proxy.Bench.json;
import static dev.tuna.router.proxy.Bench.serverless;
import static dev.tuna.router.proxy.Bench.spot;
import static dev.tuna.router.proxy.Bench.stream;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RoutePolicy.Breaker;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What a client may ask for one request, and what it is told in the header. */
class SwitchesTest {

    private final Bench bench = new Bench();
    private final VllmStandIn replica = bench.standIn();
    private final VllmStandIn cloud = bench.standIn();

    @AfterEach
    void close() {
        bench.close();
    }

    private void route() {
        bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", replica.uri())));
    }

    private static Optional<String> header(HttpResponse<String> answer, String name) {
        return answer.headers().firstValue(name);
    }

    @Test
    @DisplayName("R14 R18 answers name who answered and how often it was tried")
    void answersNameTheirOrigin() throws Exception {
        replica.inject(Fault.status(500).times(1));
        route();
        for (String body : List.of(chat("a", ""), stream("b"))) {
            HttpResponse<String> answer = bench.post(body, "x-request-id", "mine");
            boolean failedOver = header(answer, "x-tuna-tier").equals(Optional.of("serverless"));
            assertThat(header(answer, "x-tuna-backend")).hasValue(failedOver ? "cloud" : "spot-1");
            assertThat(header(answer, "x-tuna-attempts")).hasValue(failedOver ? "2" : "1");
            assertThat(header(answer, "x-request-id")).hasValue("mine");
            assertThat(header(answer, "x-should-retry")).isEmpty();
        }
        assertThat(cloud.stats().modelRequests()).isEqualTo(1);
    }

    @Test
    @DisplayName("R18 without failover the first backend's failure is the answer")
    void withoutFailover() throws Exception {
        replica.inject(Fault.status(500));
        route();
        HttpResponse<String> answer = bench.post(chat("a", ""), "x-tuna-failover", "off");
        assertThat(answer.statusCode()).isEqualTo(500);
        assertThat(header(answer, "x-tuna-attempts")).hasValue("1");
        assertThat(header(answer, "x-should-retry"))
                .as("the client has taken that over")
                .isEmpty();
        assertThat(cloud.requests()).isEmpty();
    }

    @Test
    @DisplayName("R18 a request pinned to a tier goes nowhere else")
    void pinned() throws Exception {
        route();
        assertThat(header(bench.post(chat("a", ""), "x-tuna-tier", "serverless"), "x-tuna-backend"))
                .hasValue("cloud");
        assertThat(bench.demands).as("no replica was missed").isEmpty();
        cloud.inject(Fault.status(500));
        assertThat(bench.post(chat("a", ""), "x-tuna-tier", "serverless").statusCode())
                .isEqualTo(500);
        assertThat(replica.requests()).isEmpty();
        HttpResponse<String> wrong = bench.post(chat("a", ""), "x-tuna-tier", "cheap");
        assertThat(wrong.statusCode()).isEqualTo(400);
        assertThat(json(wrong.body()).path("error").path("param").asText()).isEqualTo("x-tuna-tier");
    }

    @Test
    @DisplayName("R13 once everything has been tried the client is told not to send it again")
    void noRetryOfWhatWasRetried() throws Exception {
        replica.inject(Fault.status(500));
        cloud.inject(Fault.status(502));
        route();
        HttpResponse<String> answer = bench.post(chat("a", ""));
        assertThat(answer.statusCode()).isEqualTo(502);
        assertThat(header(answer, "x-should-retry")).hasValue("false");
        assertThat(header(answer, "x-tuna-attempts")).hasValue("2");
    }

    @Test
    @DisplayName("R13 who is told when to come back is not told to stay away")
    void comeBackLater() throws Exception {
        RawBackend mute = bench.own(new RawBackend(RawBackend.Peer::request)); // and hangs up
        bench.router.put(Bench.route(
                List.of(),
                List.of(spot("spot-1", mute.uri())),
                Bench.POLICY.toBuilder()
                        .waitLimit(Duration.ofMillis(50))
                        .breaker(new RoutePolicy.Breaker(1, Duration.ofHours(1), 1, 1, Duration.ZERO))
                        .build()));
        bench.post(chat("a", ""));
        HttpResponse<String> answer = bench.post(chat("b", ""));
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(header(answer, "x-tuna-attempts")).hasValue("1");
        assertThat(header(answer, "retry-after")).isPresent();
        assertThat(header(answer, "x-should-retry")).isEmpty();
    }

    @Test
    @DisplayName("R7 an overloaded backend's word goes to the client, who may come back")
    void overloadMayBeRetried() throws Exception {
        cloud.inject(Fault.tooManyRequests(Duration.ofSeconds(20)));
        bench.router.put(Bench.route(
                List.of(serverless("cloud", cloud.uri())),
                List.of(),
                Bench.POLICY.toBuilder().waitLimit(Duration.ofSeconds(1)).build()));
        HttpResponse<String> answer = bench.post(chat("a", ""));
        assertThat(answer.statusCode()).isEqualTo(429);
        assertThat(header(answer, "x-should-retry")).isEmpty();
    }

    @Test
    @DisplayName("R13 R-38 a library's retries are counted apart and pay for no retry of ours")
    void retriesOfTheClient() throws Exception {
        route();
        bench.post(chat("a", ""), "x-stainless-retry-count", "0");
        bench.post(chat("a", ""), "x-stainless-retry-count", "1");
        bench.settled();
        assertThat(bench.router.metrics()).contains("tuna_router_client_retries_total{deployment=\"tuna-1\"} 1");
    }

    @Test
    @DisplayName("R13 a route whose backends all fail is not asked twice for long: the retry budget holds")
    void retryBudget() throws Exception {
        int requests = 1600;
        replica.inject(Fault.status(500));
        cloud.inject(Fault.status(500));
        RoutePolicy stubborn = Bench.POLICY.toBuilder()
                .breaker(new Breaker(Integer.MAX_VALUE, Duration.ZERO, 1, 1, Duration.ZERO))
                .build();
        try (Bench timeless = new Bench(() -> 0)) {
            retryBudget(timeless, stubborn, requests);
        }
        assertThat(replica.stats().modelRequests()).isEqualTo(requests);
        assertThat(cloud.stats().modelRequests()).isBetween(900L + requests / 5, 1000L + requests / 5);
    }

    private void retryBudget(Bench bench, RoutePolicy stubborn, int requests) throws Exception {
        bench.router.put(Bench.route(
                List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", replica.uri())), stubborn));
        for (int round = 0; round < requests / 100; round++) {
            List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                answers.add(
                        Bench.client().sendAsync(bench.request(Bench.CHAT, chat("a", "")), BodyHandlers.ofString()));
            }
            for (CompletableFuture<HttpResponse<String>> answer : answers) {
                assertThat(answer.get().statusCode()).isEqualTo(500);
            }
        }
        assertThat(bench.settled().failed()).isEqualTo(requests);
    }
}
