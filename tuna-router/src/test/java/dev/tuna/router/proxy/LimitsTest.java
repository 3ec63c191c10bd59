package dev.tuna.router.proxy;

import static dev.tuna.router.proxy.Bench.await;
import static dev.tuna.router.proxy.Bench.chat;
import static dev.tuna.router.proxy.Bench.events;
import static dev.tuna.router.proxy.Bench.json;
import static dev.tuna.router.proxy.Bench.raw;
import static dev.tuna.router.proxy.Bench.readUntil;
import static dev.tuna.router.proxy.Bench.send;
import static dev.tuna.router.proxy.Bench.serverless;
import static dev.tuna.router.proxy.Bench.spot;
import static dev.tuna.router.proxy.Bench.stream;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.Tier;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RouterConfig;
import dev.tuna.spi.BackendAddress;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.Fault.Moment;
import dev.tuna.testkit.vllm.VllmStandIn;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Permits, back-pressure, and clients that leave. */
class LimitsTest {

    private static final RoutePolicy PATIENT = Bench.POLICY;

    /** Never leaves a backend alone, but does not wait for long. */
    private static final RoutePolicy LENIENT = Bench.POLICY.toBuilder()
            .deadline(Duration.ofSeconds(1))
            .firstTokenTimeout(Duration.ofMillis(400))
            .idleTimeout(Duration.ofMillis(400))
            .breaker(new RoutePolicy.Breaker(Integer.MAX_VALUE, Duration.ZERO, 9, 1, Duration.ZERO))
            .build();

    private final Bench bench = new Bench();
    private final VllmStandIn replica = bench.standIn();

    @AfterEach
    void close() {
        bench.close();
    }

    private void route(RoutePolicy policy) {
        bench.router.put(Bench.route(List.of(), List.of(spot("spot-1", replica.uri())), policy));
    }

    @Test
    @DisplayName("R-36 R-10 permits are held to the end of the stream; beyond the limit 429 with Retry-After")
    void permitsAreHeldToTheEnd() throws Exception {
        replica.inject(Fault.stall(Moment.atToken(2)).times(5));
        route(PATIENT.toBuilder().maxInFlight(5).build());
        List<Socket> clients = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            Socket client = bench.own(bench.socket());
            clients.add(client);
            send(client, raw(stream("hello")));
            readUntil(client, "\n\n");
        }
        HttpResponse<String> sixth = bench.post(chat("hello", ""));
        assertThat(sixth.statusCode()).isEqualTo(429);
        assertThat(sixth.headers().firstValue("retry-after")).hasValue("1");
        assertThat(json(sixth.body()).path("error").path("type").asText()).isEqualTo("rate_limit_error");
        assertThat(bench.traffic().rejected()).isEqualTo(1);
        assertThat(bench.traffic().inFlight()).isEqualTo(5);
        clients.get(0).close();
        await("the place is free", () -> bench.traffic().inFlight() == 4);
        assertThat(bench.post(chat("hello", "")).statusCode()).isEqualTo(200);
        for (Socket client : clients) {
            client.close();
        }
        var traffic = bench.settled();
        assertThat(traffic.requests()).isEqualTo(6);
        assertThat(traffic.clientErrors()).isEqualTo(5);
        assertThat(bench.load().backend("spot-1").inFlight()).isZero();
    }

    @Test
    @DisplayName("a route that refuses says why and tells clients not to retry; what is in flight goes on")
    void aRouteThatRefusesLetsNobodyInAndCutsNobodyOff() throws Exception {
        route(PATIENT);
        replica.inject(Fault.stall(Moment.atToken(2)).once());
        Socket early = bench.own(bench.socket());
        send(early, raw(stream("hello")));
        readUntil(early, "\n\n");

        String reason = "the budget of 5 USD a day is spent until midnight";
        route(PATIENT.toBuilder().refusal(Optional.of(reason)).build());
        HttpResponse<String> refused = bench.post(chat("hello", ""));
        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(json(refused.body()).at("/error/code").asText()).isEqualTo("insufficient_quota");
        assertThat(json(refused.body()).at("/error/message").asText()).isEqualTo(reason);
        assertThat(refused.headers().firstValue("x-should-retry")).hasValue("false");
        assertThat(bench.traffic().rejected()).isEqualTo(1);
        assertThat(bench.traffic().inFlight()).isEqualTo(1);

        replica.clearFaults();
        route(PATIENT);
        assertThat(bench.post(chat("hello", "")).statusCode()).isEqualTo(200);
    }

    @Test
    @DisplayName("R-37 R6 a client that leaves before the answer cancels it")
    void leavingBeforeTheHeadersCancels() throws Exception {
        replica.inject(Fault.stall(Moment.BEFORE_HEADERS));
        route(PATIENT);
        try (Socket client = bench.socket()) {
            send(client, raw(chat("hello", "")));
            await("it arrived", () -> replica.stats().requests() == 1);
        }
        await("the replica was hung up on", () -> replica.stats().connections() == 0);
        assertThat(bench.settled().clientErrors()).isEqualTo(1);
        assertThat(bench.failures).isEmpty();
        assertThat(bench.load().backend("spot-1").inFlight()).isZero();
    }

    @Test
    @DisplayName("R12 however a request ends its place is free again, once")
    void everyEndFreesThePlace() throws Exception {
        VllmStandIn cloud = bench.standIn();
        List<RouteBackend> serverless = List.of(Bench.serverless("cloud", cloud.uri()));
        bench.router.put(Bench.route(serverless, List.of(spot("spot-1", replica.uri())), LENIENT));
        List<Fault> ends = List.of(
                Fault.status(400),
                Fault.status(500),
                Fault.status(503),
                Fault.tooManyRequests(Duration.ofSeconds(1)),
                Fault.reset(Moment.BEFORE_HEADERS),
                Fault.eof(Moment.AFTER_HEADERS),
                Fault.stall(Moment.BEFORE_HEADERS),
                Fault.reset(Moment.atToken(3)),
                Fault.stall(Moment.atToken(3)),
                Fault.abort(3),
                Fault.errorEvent(3));
        int asked = 0;
        for (Fault end : ends) {
            for (String body : List.of(stream("hello"), chat("hello", ""))) {
                for (String continuation : List.of("on", "off")) {
                    replica.inject(end.once());
                    bench.post(body, "x-tuna-continuation", continuation);
                    replica.clearFaults();
                    asked++;
                    assertNothingIsInFlight(asked);
                }
            }
        }
        for (String body : List.of(stream("hello"), chat("hello", ""))) { // who leaves
            replica.inject(Fault.stall(Moment.BEFORE_HEADERS).once());
            long before = replica.stats().requests();
            try (Socket client = bench.socket()) {
                send(client, raw(body));
                await("it arrived", () -> replica.stats().requests() > before);
            }
            replica.clearFaults();
            asked++;
            assertNothingIsInFlight(asked);
        }
        bench.post(chat("hello", ""));
        assertNothingIsInFlight(asked + 1);
    }

    private void assertNothingIsInFlight(int asked) {
        TrafficStats traffic = bench.settled();
        assertThat(bench.load().backends().values()).allMatch(load -> load.inFlight() == 0);
        assertThat(traffic.requests()).isEqualTo(asked);
        assertThat(traffic.succeeded() + traffic.failed() + traffic.clientErrors())
                .isEqualTo(asked);
    }

    @Test
    @DisplayName("R6 a client that leaves in the middle of a stream cancels it")
    void leavingInTheMiddleOfAStreamCancels() throws Exception {
        replica.inject(Fault.stall(Moment.atToken(3)));
        route(PATIENT);
        try (Socket client = bench.socket()) {
            send(client, raw(stream("hello")));
            readUntil(client, "\n\n");
        }
        await("the replica was hung up on", () -> replica.stats().connections() == 0);
        assertThat(bench.settled().clientErrors()).isEqualTo(1);
    }

    @Test
    void leavingInTheMiddleOfTheRequestIsNoTraffic() throws Exception {
        route(PATIENT);
        try (Socket client = bench.socket()) {
            String request = raw(chat("hello", ""));
            send(client, request.substring(0, request.length() - 5));
        }
        bench.post(chat("hello", ""));
        assertThat(bench.settled().requests()).isEqualTo(1);
    }

    @Test
    @DisplayName("R-30 hundreds of streams at once need no place in any pool")
    void manyStreamsAtOnce() throws Exception {
        VllmStandIn wide = bench.own(VllmStandIn.builder()
                .capacity(1000)
                .timeToFirstToken(Duration.ofMillis(500))
                .start());
        bench.router.put(Bench.route(List.of(), List.of(spot("spot-1", wide.uri())), PATIENT));
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            answers.add(Bench.client().sendAsync(bench.request(Bench.CHAT, stream("q" + i)), BodyHandlers.ofString()));
        }
        for (CompletableFuture<HttpResponse<String>> answer : answers) {
            assertThat(events(answer.get().body())).last().isEqualTo("[DONE]");
        }
        assertThat(bench.settled().succeeded()).isEqualTo(300);
        assertThat(bench.failures).isEmpty();
    }

    @Test
    void aReplicaGetsNoMoreThanItTakes() throws Exception {
        VllmStandIn cloud = bench.standIn();
        replica.inject(Fault.stall(Moment.atToken(1)).once());
        RouteBackend one = new RouteBackend(
                "spot-1",
                Tier.SPOT,
                new BackendAddress(replica.uri(), Optional.empty(), "/health", Optional.empty(), 1),
                false);
        bench.router.put(Bench.route(List.of(serverless("cloud", cloud.uri())), List.of(one), PATIENT));
        try (Socket client = bench.socket()) {
            send(client, raw(stream("hello")));
            readUntil(client, "\n\n");
            assertThat(bench.post(chat("hello", "")).headers().firstValue("x-tuna-backend"))
                    .hasValue("cloud");
        }
        bench.settled();
        assertThat(bench.post(chat("hello", "")).headers().firstValue("x-tuna-backend"))
                .hasValue("spot-1");
    }

    @Test
    void aDrainingReplicaGetsNothingNewAndFinishesWhatItHas() throws Exception {
        VllmStandIn other = bench.standIn();
        replica.inject(Fault.stall(Moment.atToken(1)).once());
        route(PATIENT);
        try (Socket client = bench.socket()) {
            send(client, raw(stream("hello")));
            readUntil(client, "\n\n");
            RouteBackend draining = new RouteBackend("spot-1", Tier.SPOT, BackendAddress.of(replica.uri()), true);
            bench.router.put(Bench.route(List.of(), List.of(draining, spot("spot-2", other.uri())), PATIENT));
            assertThat(bench.post(chat("hello", "")).headers().firstValue("x-tuna-backend"))
                    .hasValue("spot-2");
            assertThat(bench.load().backend("spot-1").inFlight()).isEqualTo(1);
            bench.router.put(Bench.route(List.of(), List.of(spot("spot-2", other.uri())), PATIENT));
            assertThat(bench.load().backend("spot-1").inFlight())
                    .as("still shown")
                    .isEqualTo(1);
        }
        bench.settled();
        assertThat(bench.load().backends()).doesNotContainKey("spot-1");
    }

    @Test
    void aSlowReaderSlowsTheBackendDownInsteadOfFillingMemory() throws Exception {
        AtomicLong sent = new AtomicLong();
        String event = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + "x".repeat(8000) + "\"}}]}\n\n";
        RawBackend flood = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
            while (true) {
                peer.chunk(event);
                sent.addAndGet(event.length());
            }
        }));
        bench.router.put(Bench.route(List.of(), List.of(spot("spot-1", flood.uri())), PATIENT));
        try (Socket client = new Socket()) {
            client.setReceiveBufferSize(64 << 10);
            client.connect(bench.router.address());
            send(client, raw(stream("hello")));
            awaitStandstill(sent);
            assertThat(sent.get()).isLessThan(64L << 20);
            long before = sent.get();
            client.getInputStream().readNBytes(16 << 20);
            await("it flows again", () -> sent.get() > before);
        }
        await("the backend was hung up on", () -> flood.ended.size() == 1);
        assertThat(bench.settled().clientErrors()).isEqualTo(1);
    }

    /** Nothing has been sent for as long as a thousand looks. */
    private static void awaitStandstill(AtomicLong sent) {
        long[] last = {-1, 0};
        await("the backend waits", () -> {
            long now = sent.get();
            last[1] = now == last[0] && now > 0 ? last[1] + 1 : 0;
            last[0] = now;
            return last[1] > 500;
        });
    }

    @Test
    void longAnswersAreRelayedAsTheyCome() throws Exception {
        replica.inject(Fault.hugeBody(5 << 20));
        route(PATIENT);
        HttpResponse<String> answer = bench.post(chat("hello", ",\"max_tokens\":4"));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body().length()).isGreaterThan(5 << 20);
        assertThat(json(answer.body()).path("object").asText()).isEqualTo("chat.completion");
        assertThat(bench.settled().succeeded()).isEqualTo(1);
    }

    @Test
    void anAnswerOfAnyLengthThatDiesInTheMiddleIsReplacedOrCut() throws Exception {
        String half = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3000000\r\n\r\n";
        RawBackend dies = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say(half + "x".repeat(1000));
            peer.reset();
        }));
        bench.router.put(
                Bench.route(List.of(serverless("cloud", replica.uri())), List.of(spot("spot-1", dies.uri())), PATIENT));
        assertThat(bench.post(chat("hello", "")).statusCode()).isEqualTo(200);
        CountDownLatch begun = new CountDownLatch(1);
        RawBackend diesLate = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say(half + "x".repeat(2_000_000));
            begun.await();
            peer.reset();
        }));
        bench.router.put(Bench.route(
                List.of(serverless("cloud", replica.uri())), List.of(spot("spot-2", diesLate.uri())), PATIENT));
        try (Socket client = bench.socket()) {
            send(client, raw(chat("hello", "")));
            assertThat(readUntil(client, "\r\n\r\n")).startsWith("HTTP/1.1 200 OK");
            begun.countDown();
            assertThat(Bench.readAll(client).length()).isLessThan(3_000_000);
        }
        var traffic = bench.settled();
        assertThat(traffic.succeeded()).isEqualTo(1);
        assertThat(traffic.failed()).isEqualTo(1);
    }

    @Test
    @DisplayName("R-29 the deadline ends what takes too long, without blaming the replica")
    void theDeadlineHolds() throws Exception {
        replica.inject(Fault.stall(Moment.BEFORE_HEADERS));
        AtomicLong time = new AtomicLong();
        try (Bench timed = new Bench(time::get)) {
            timed.router.put(Bench.route(List.of(), List.of(spot("spot-1", replica.uri())), PATIENT));
            var answer =
                    Bench.client().sendAsync(timed.request(Bench.CHAT, chat("hello", "")), BodyHandlers.ofString());
            await("it has been sent", () -> replica.stats().modelRequests() == 1);
            time.addAndGet(PATIENT.deadline().toNanos());
            assertThat(answer.get().statusCode()).isEqualTo(504);
            assertThat(timed.settled().failed()).isEqualTo(1);
            assertThat(timed.failures).isEmpty();
        }
        assertThat(replica.requests()).hasSize(1);
    }

    @Test
    @DisplayName("R6 R15 a client that takes nothing for as long as a request may last is cut")
    void aStuckClientIsCut() throws Exception {
        AtomicLong time = new AtomicLong();
        try (Bench timed = new Bench(time::get)) {
            AtomicLong sent = new AtomicLong();
            String event =
                    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + "x".repeat(8000) + "\"}}]}\n\n";
            RawBackend flood = timed.own(new RawBackend(peer -> {
                peer.request();
                peer.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
                while (true) {
                    peer.chunk(event);
                    sent.addAndGet(event.length());
                }
            }));
            timed.router.put(Bench.route(List.of(), List.of(spot("spot-1", flood.uri())), PATIENT));
            try (Socket client = new Socket()) {
                client.setReceiveBufferSize(64 << 10);
                client.connect(timed.router.address());
                send(client, raw(stream("hello")));
                awaitStandstill(sent);
                time.addAndGet(PATIENT.deadline().toNanos() - 1);
                assertThat(timed.traffic().inFlight()).isEqualTo(1);
                time.addAndGet(1);
                await("the backend was hung up on", () -> flood.ended.size() == 1);
            }
            assertThat(timed.settled().clientErrors()).isEqualTo(1);
            assertThat(timed.failures).as("not the replica's fault").isEmpty();
        }
    }

    @Test
    @DisplayName(
            "R10 R15 when bodies fill the memory granted further ones get 503 with Retry-After until there is room")
    void memoryForBodiesIsBounded() throws Exception {
        CountDownLatch gate = new CountDownLatch(1);
        RouterConfig small = RouterConfig.builder()
                .port(0)
                .ioThreads(2)
                .maxBodyBytes(1000)
                .maxBufferedBytes(2000)
                .build();
        try (Bench narrow = new Bench(small)) {
            RawBackend slow = narrow.own(new RawBackend(peer -> {
                peer.request();
                gate.await();
                peer.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
            }));
            narrow.router.put(Bench.route(List.of(), List.of(spot("spot-1", slow.uri())), PATIENT));
            String large = chat("x".repeat(800), "");
            List<CompletableFuture<HttpResponse<String>>> held = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                held.add(Bench.client().sendAsync(narrow.request(Bench.CHAT, large), BodyHandlers.ofString()));
            }
            await("both are held", () -> slow.requests.size() == 2);
            HttpResponse<String> third = narrow.post(large);
            assertThat(third.statusCode()).isEqualTo(503);
            assertThat(third.headers().firstValue("retry-after")).isPresent();
            assertThat(json(third.body()).path("error").path("code").asText()).isEqualTo("memory_full");
            gate.countDown();
            for (CompletableFuture<HttpResponse<String>> answer : held) {
                assertThat(answer.get().statusCode()).isEqualTo(200);
            }
            narrow.settled();
            assertThat(narrow.post(large).statusCode()).isEqualTo(200);
        }
    }

    @Test
    @DisplayName("R15 answers are held only while there is memory for it, and what was taken is given back")
    void memoryForAnswersIsBounded() {
        BackendRuntime backend = new BackendRuntime(spot("spot-1", replica.uri()), PATIENT, 0, () -> {});
        MemoryBudget budget = new MemoryBudget(10);
        HeldAnswer first = held(backend, budget);
        HeldAnswer second = held(backend, budget);
        assertThat(first.add(bytes(6), UnpooledByteBufAllocator.DEFAULT)).isTrue();
        assertThat(second.add(bytes(4), UnpooledByteBufAllocator.DEFAULT)).isTrue();
        ByteBuf more = bytes(1);
        assertThat(second.add(more, UnpooledByteBufAllocator.DEFAULT)).isFalse();
        first.release();
        assertThat(second.add(more, UnpooledByteBufAllocator.DEFAULT)).isTrue();
        second.release();
        assertThat(budget.taken()).isZero();
    }

    private static HeldAnswer held(BackendRuntime backend, MemoryBudget budget) {
        return new HeldAnswer(HttpResponseStatus.OK, new DefaultHttpHeaders(), backend, budget);
    }

    private static ByteBuf bytes(int length) {
        return Unpooled.buffer().writeZero(length);
    }
}
