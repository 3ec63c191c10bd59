package dev.tuna.router.proxy;

import static dev.tuna.router.proxy.Bench.await;
import static dev.tuna.router.proxy.Bench.chat;
import static dev.tuna.router.proxy.Bench.serverless;
import static dev.tuna.router.proxy.Bench.spot;
import static dev.tuna.router.proxy.Bench.stream;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tuna.router.BackendFailure;
import dev.tuna.router.BreakerPhase;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RoutePolicy.Breaker;
import dev.tuna.router.RoutePolicy.Spill;
import dev.tuna.router.RouterConfig;
import dev.tuna.router.select.LatencyShare;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Spot is left, wholly or in part, when it is slow, full or failing, and for no other reason. Time passes as told. */
class LeavingSpotTest {

    private static final String ANSWER = """
            HTTP/1.1 200 OK\r
            Content-Type: text/event-stream\r
            Connection: close\r
            \r
            data: {"choices":[{"index":0,"delta":{"content":"a"}}]}

            data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

            data: [DONE]

            """;

    private static final RoutePolicy POLICY = RoutePolicy.builder()
            .heartbeat(Duration.ZERO)
            .spill(new Spill(Duration.ofSeconds(1), Duration.ofSeconds(1), 256))
            .build();

    private final AtomicLong time = new AtomicLong(-5_000_000_000L);
    private final Bench bench =
            new Bench(RouterConfig.builder().port(0).ioThreads(2).build(), time::get);
    private final VllmStandIn cloud = bench.standIn();
    private volatile CountDownLatch gate = new CountDownLatch(1);

    @AfterEach
    void close() {
        gate.countDown();
        bench.close();
    }

    private void pass(Duration duration) {
        time.addAndGet(duration.toNanos());
    }

    /** A replica that answers when told to. */
    private RawBackend gated() throws IOException {
        return bench.own(new RawBackend(peer -> {
            peer.request();
            gate.await();
            peer.say(ANSWER);
        }));
    }

    private double share() {
        return bench.load().backend("spot-1").share();
    }

    /** Sends streams at once and lets time pass before the replica answers. Returns how many went to it. */
    private int batch(RawBackend replica, int size, Duration takes) throws Exception {
        double before = share();
        int already = replica.requests.size();
        long arrived = already + cloud.stats().modelRequests() + size;
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            answers.add(Bench.client().sendAsync(bench.request(Bench.CHAT, stream("q" + i)), BodyHandlers.ofString()));
        }
        await("all have arrived", () -> replica.requests.size() + cloud.stats().modelRequests() == arrived);
        pass(takes);
        if (!takes.isZero()) {
            await("it was noticed", () -> share() < before);
        }
        gate.countDown();
        for (CompletableFuture<HttpResponse<String>> answer : answers) {
            assertThat(answer.get().statusCode()).isEqualTo(200);
        }
        bench.settled();
        gate = new CountDownLatch(1);
        return replica.requests.size() - already;
    }

    @Test
    @DisplayName(
            "R-32 R3 while first tokens are late traffic moves to serverless step by step, and back once they are not")
    void lateFirstTokens() throws Exception {
        RawBackend replica = gated();
        bench.router.put(
                Bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", replica.uri())), POLICY));
        double expected = 1;
        for (int round = 0; round < 4; round++) {
            int toSpot = batch(replica, 40, Duration.ofSeconds(6));
            assertThat(toSpot).isBetween((int) (40 * expected) - 3, (int) (40 * expected) + 3);
            expected *= 0.8;
            assertThat(share()).isEqualTo(expected, within(1e-9));
        }
        pass(LatencyShare.HOLD);
        for (int round = 0; round < 12; round++) {
            int toSpot = batch(replica, 20, Duration.ZERO);
            assertThat(toSpot).isBetween((int) (20 * expected) - 3, (int) (20 * expected) + 3);
            pass(LatencyShare.STEP);
            expected = Math.min(1, expected + 0.05);
            assertThat(share()).isEqualTo(expected, within(1e-9));
        }
        assertThat(share()).isEqualTo(1);
        assertThat(batch(replica, 20, Duration.ZERO)).isEqualTo(20);
        assertThat(bench.failures).as("slow is not broken").isEmpty();
    }

    @Test
    @DisplayName("R-32 without serverless a slow replica keeps everything")
    void nowhereElse() throws Exception {
        RawBackend replica = gated();
        bench.router.put(Bench.route(List.of(), List.of(spot("spot-1", replica.uri())), POLICY));
        assertThat(batch(replica, 20, Duration.ofSeconds(6))).isEqualTo(20);
        assertThat(share()).isEqualTo(0.8);
        assertThat(batch(replica, 20, Duration.ofSeconds(6))).isEqualTo(20);
    }

    @Test
    @DisplayName("R-45 what is more than a replica works on at once goes to serverless, and stays if there is none")
    void fullReplicaSpills() throws Exception {
        RawBackend replica = gated();
        RoutePolicy two = POLICY.toBuilder()
                .spill(new Spill(Duration.ofSeconds(1), Duration.ofSeconds(1), 2))
                .build();
        bench.router.put(
                Bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", replica.uri())), two));
        assertThat(batch(replica, 6, Duration.ZERO)).isEqualTo(2);
        bench.router.put(Bench.route(List.of(), List.of(spot("spot-1", replica.uri())), two));
        assertThat(batch(replica, 6, Duration.ZERO)).isEqualTo(6);
    }

    @Test
    @DisplayName("R11 when every breaker is open the least bad backend is tried at once")
    void leastBad() throws Exception {
        VllmStandIn replica = bench.standIn();
        RoutePolicy touchy = POLICY.toBuilder()
                .breaker(new Breaker(1, Duration.ofHours(1), 1, 1, Duration.ZERO))
                .build();
        bench.router.put(
                Bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", replica.uri())), touchy));
        replica.inject(Fault.status(500).times(1));
        cloud.inject(Fault.status(500).times(1));
        assertThat(bench.post(chat("a", "")).statusCode()).isEqualTo(500);
        assertThat(bench.load().backends().values())
                .allSatisfy(load -> assertThat(load.breaker()).isEqualTo(BreakerPhase.OPEN));
        pass(Duration.ofSeconds(1));

        HttpResponse<String> answer = bench.post(chat("b", ""));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("x-tuna-backend"))
                .as("it failed first")
                .hasValue("spot-1");
        assertThat(bench.load().backend("spot-1").breaker()).isEqualTo(BreakerPhase.CLOSED);
    }

    @Test
    @DisplayName("R11 a request whose last resort fails too waits for the breaker, as if it had not been tried")
    void lastResortFails() throws Exception {
        VllmStandIn replica = bench.standIn();
        RoutePolicy touchy = POLICY.toBuilder()
                .breaker(new Breaker(1, Duration.ofMinutes(1), 1, 1, Duration.ZERO))
                .build();
        bench.router.put(Bench.route(List.of(), List.of(spot("spot-1", replica.uri())), touchy));
        replica.inject(Fault.status(500).times(2));
        assertThat(bench.post(chat("a", "")).statusCode()).isEqualTo(500);
        CompletableFuture<HttpResponse<String>> second =
                Bench.client().sendAsync(bench.request(Bench.CHAT, chat("b", "")), BodyHandlers.ofString());
        await("it waits", () -> bench.traffic().waiting() == 1);
        assertThat(bench.failures).containsExactly(BackendFailure.SERVER_ERROR, BackendFailure.SERVER_ERROR);
        pass(Duration.ofMinutes(1));
        assertThat(second.get().statusCode()).isEqualTo(200);
        assertThat(replica.stats().modelRequests()).isEqualTo(3);
    }

    @Test
    @DisplayName("R-45 a replica whose server says that it has a queue is spared until that is old news")
    void saturatedReplicaSpills() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        RawBackend replica = bench.own(new RawBackend(peer -> {
            peer.request();
            release.await();
            peer.say(ANSWER);
        }));
        replica.metrics = "vllm:num_requests_waiting{engine=\"0\"} 9.0\n";
        bench.router.put(
                Bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", replica.uri())), POLICY));
        CompletableFuture<HttpResponse<String>> running =
                Bench.client().sendAsync(bench.request(Bench.CHAT, stream("a")), BodyHandlers.ofString());
        await("it was asked how busy it is", () -> replica.asked.get() >= 2);
        HttpResponse<String> spilt = bench.post(chat("b", ""));
        assertThat(spilt.headers().firstValue("x-tuna-backend")).hasValue("cloud");
        assertThat(cloud.requests("/metrics")).as("serverless is never asked").isEmpty();

        release.countDown();
        assertThat(running.get().statusCode()).isEqualTo(200);
        bench.settled();
        pass(Duration.ofSeconds(3));
        assertThat(bench.post(stream("c")).headers().firstValue("x-tuna-backend"))
                .as("what it said is too old")
                .hasValue("spot-1");
    }

    @Test
    @DisplayName("R-45 a server without such metrics is asked once, and counts as not saturated")
    void serverWithoutMetrics() throws Exception {
        RawBackend replica = gated();
        bench.router.put(
                Bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", replica.uri())), POLICY));
        CompletableFuture<HttpResponse<String>> running =
                Bench.client().sendAsync(bench.request(Bench.CHAT, stream("a")), BodyHandlers.ofString());
        await("it was asked", () -> replica.asked.get() == 1);
        CompletableFuture<HttpResponse<String>> second =
                Bench.client().sendAsync(bench.request(Bench.CHAT, stream("b")), BodyHandlers.ofString());
        await("it gets the next one too", () -> replica.requests.size() == 2);
        gate.countDown();
        assertThat(running.get().statusCode()).isEqualTo(200);
        assertThat(second.get().statusCode()).isEqualTo(200);
        assertThat(bench.failures).isEmpty();
    }

    @Test
    @DisplayName("R-45 a server that is only too busy to say how busy it is is asked again")
    void serverTooBusyToSay() throws Exception {
        RawBackend replica = gated();
        replica.noMetrics = "429 Too Many Requests";
        bench.router.put(
                Bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", replica.uri())), POLICY));
        CompletableFuture<HttpResponse<String>> running =
                Bench.client().sendAsync(bench.request(Bench.CHAT, stream("a")), BodyHandlers.ofString());
        await("it was asked twice", () -> replica.asked.get() >= 2);
        gate.countDown();
        assertThat(running.get().statusCode()).isEqualTo(200);
    }

    @Test
    @DisplayName("R-32 R3 tokens that come slowly make traffic leave just as late first tokens do")
    void slowTokens() throws Exception {
        int cut = ANSWER.indexOf("data: ", ANSWER.indexOf("data: ") + 1);
        String second = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\"}}]}\n\n";
        RawBackend replica = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say(ANSWER.substring(0, cut));
            gate.await();
            peer.say(second + ANSWER.substring(cut));
        }));
        bench.router.put(
                Bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", replica.uri())), POLICY));
        List<Socket> clients = new ArrayList<>();
        for (int i = 0; i < LatencyShare.ENOUGH; i++) {
            Socket client = bench.own(bench.socket());
            clients.add(client);
            Bench.send(client, Bench.raw(stream("q" + i), "Connection: close"));
            Bench.readUntil(client, "\n\n");
        }
        pass(Duration.ofSeconds(3));
        gate.countDown();
        for (Socket client : clients) {
            assertThat(Bench.readAll(client)).contains("[DONE]");
        }
        bench.settled();
        assertThat(share()).isEqualTo(0.8);
    }

    @Test
    @DisplayName("a cold endpoint that is asked before it goes on with a stream may take its time to start")
    void coldEndpointGoesOn() throws Exception {
        RawBackend replica = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                    + "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"token_ids\":[7]}],"
                    + "\"prompt_token_ids\":[1]}\n\n");
            peer.reset();
        }));
        RawBackend cold = bench.own(new RawBackend(peer -> {
            peer.request();
            gate.await();
            peer.say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
            peer.request();
            peer.say(ANSWER.replaceFirst("}]}", "}],\"prompt_token_ids\":[1,7]}"));
        }));
        RoutePolicy lively = POLICY.toBuilder().heartbeat(Duration.ofSeconds(5)).build();
        bench.router.put(
                Bench.route(List.of(serverless("cold", cold.uri())), List.of(spot("spot-1", replica.uri())), lively));
        try (Socket client = bench.socket()) {
            Bench.send(client, Bench.raw(stream("q"), "Connection: close"));
            await("it is asked", () -> cold.requests.size() == 1);
            pass(POLICY.firstTokenTimeout());
            Bench.readUntil(client, ": waiting\n\n");
            pass(Duration.ofSeconds(5));
            Bench.readUntil(client, ": waiting\n\n");
            gate.countDown();
            assertThat(Bench.readAll(client)).contains(": continued by", "data: [DONE]");
        }
        assertThat(bench.failures).containsExactly(BackendFailure.MID_STREAM);
    }
}
