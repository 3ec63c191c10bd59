package dev.tuna.router.proxy;

import static dev.tuna.router.proxy.Bench.await;
import static dev.tuna.router.proxy.Bench.chat;
import static dev.tuna.router.proxy.Bench.events;
import static dev.tuna.router.proxy.Bench.json;
import static dev.tuna.router.proxy.Bench.serverless;
import static dev.tuna.router.proxy.Bench.spot;
import static dev.tuna.router.proxy.Bench.stream;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Tier;
import dev.tuna.router.Route;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RoutePolicy;
import dev.tuna.spi.BackendAddress;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.Fault.Moment;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** While nothing serves, requests wait, and go on the moment something does. */
class WaitingTest {

    private static final RoutePolicy PATIENT =
            Bench.POLICY.toBuilder().waitLimit(Duration.ofMinutes(5)).build();

    private final Bench bench = new Bench();

    @AfterEach
    void close() {
        bench.close();
    }

    private CompletableFuture<HttpResponse<String>> sendLater(String body) {
        return Bench.client().sendAsync(bench.request(Bench.CHAT, body), BodyHandlers.ofString());
    }

    @Test
    @DisplayName("R-08 R10 requests wait for the first backend, which is asked for once, and are all answered by it")
    void waitingRequestsGoOnWhenABackendComesUp() throws Exception {
        bench.router.put(Bench.route(List.of(), List.of(), PATIENT));
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            answers.add(sendLater(i % 2 == 0 ? stream("hello") : chat("hello", "")));
        }
        await("all wait", () -> bench.traffic().waiting() == 20);
        assertThat(bench.demands).containsExactly("tuna-1");
        assertThat(bench.traffic().inFlight()).isZero();
        VllmStandIn replica = bench.standIn();
        bench.router.put(Bench.route(List.of(), List.of(spot("spot-1", replica.uri())), PATIENT));
        for (CompletableFuture<HttpResponse<String>> answer : answers) {
            assertThat(answer.get().statusCode()).isEqualTo(200);
        }
        assertThat(bench.settled().succeeded()).isEqualTo(20);
        assertThat(bench.demands).hasSize(1);
    }

    @Test
    void whoWaitsAlreadyIsAnsweredThoughNewRequestsAreRefused() throws Exception {
        bench.router.put(Bench.route(List.of(), List.of(), PATIENT));
        CompletableFuture<HttpResponse<String>> early = sendLater(chat("early", ""));
        await("it waits", () -> bench.traffic().waiting() == 1);
        RoutePolicy refusing =
                PATIENT.toBuilder().refusal(Optional.of("the money is spent")).build();
        bench.router.put(Bench.route(List.of(), List.of(), refusing));
        HttpResponse<String> refused = bench.post(chat("late", ""));
        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(json(refused.body()).at("/error/type").asText()).isEqualTo("insufficient_quota");
        assertThat(refused.headers().firstValue("x-should-retry")).hasValue("false");
        VllmStandIn replica = bench.standIn();
        bench.router.put(Bench.route(List.of(), List.of(spot("spot-1", replica.uri())), refusing));
        assertThat(early.get().statusCode()).isEqualTo(200);
        assertThat(bench.settled().succeeded()).isEqualTo(1);
        assertThat(bench.traffic().rejected()).isEqualTo(1);
    }

    @Test
    void demandIsToldAgainOnceAReplicaHasServed() throws Exception {
        VllmStandIn replica = bench.standIn();
        VllmStandIn cloud = bench.standIn();
        List<RouteBackend> serverless = List.of(serverless("cloud", cloud.uri()));
        bench.route(serverless, List.of());
        bench.post(chat("a", ""));
        bench.post(chat("b", ""));
        assertThat(bench.demands).hasSize(1);
        bench.route(serverless, List.of(spot("spot-1", replica.uri())));
        bench.post(chat("c", ""));
        bench.route(serverless, List.of());
        bench.post(chat("d", ""));
        assertThat(bench.demands).hasSize(2);
        assertThat(replica.stats().requests()).isEqualTo(1);
        assertThat(cloud.stats().requests()).isEqualTo(3);
    }

    @Test
    void waitingEndsInAnErrorThatSaysWhen() throws Exception {
        bench.router.put(Bench.route(
                List.of(),
                List.of(),
                PATIENT.toBuilder().waitLimit(Duration.ofMillis(50)).build()));
        HttpResponse<String> answer = bench.post(chat("hello", ""));
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.headers().firstValue("retry-after")).isPresent();
        assertThat(json(answer.body()).path("error").path("type").asText()).isEqualTo("server_error");
        assertThat(bench.settled().failed()).isEqualTo(1);
    }

    @Test
    void theRoomHasABound() throws Exception {
        bench.router.put(Bench.route(
                List.of(), List.of(), PATIENT.toBuilder().waitingRoom(2).build()));
        List<CompletableFuture<HttpResponse<String>>> first =
                List.of(sendLater(chat("a", "")), sendLater(chat("b", "")));
        await("both wait", () -> bench.traffic().waiting() == 2);
        HttpResponse<String> third = bench.post(chat("c", ""));
        assertThat(third.statusCode()).isEqualTo(503);
        assertThat(third.headers().firstValue("retry-after")).isPresent();
        assertThat(first).noneMatch(CompletableFuture::isDone);
        assertThat(bench.traffic().waiting()).isEqualTo(2);
    }

    @Test
    @DisplayName("a stream that has to move waits though the room is full")
    void aMovingStreamIsNotTurnedAway() throws Exception {
        CompletableFuture<Void> end = new CompletableFuture<>();
        RawBackend doomed = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                    + "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"token_ids\":[7]}],"
                    + "\"prompt_token_ids\":[1]}\n\n");
            end.get();
            peer.reset();
        }));
        RoutePolicy small = PATIENT.toBuilder()
                .waitingRoom(1)
                .idleTimeout(Duration.ofMinutes(5))
                .build();
        List<RouteBackend> spot = List.of(spot("spot-1", doomed.uri()));
        bench.router.put(new Route("tuna-1", List.of(Bench.MODEL), List.of(), true, List.of(), spot, 1, small));
        try (Socket client = bench.socket()) {
            Bench.send(client, Bench.raw(stream("hello"), "Connection: close"));
            Bench.readUntil(client, "\n\n");
            var other = Bench.client()
                    .sendAsync(
                            bench.request(Bench.CHAT, chat("b", ""), "x-tuna-tier", "serverless"),
                            BodyHandlers.ofString());
            await("the room is full", () -> bench.traffic().waiting() == 1);
            end.complete(null);
            await("the stream waits too", () -> bench.traffic().waiting() == 2);
            VllmStandIn cloud = bench.standIn();
            bench.router.put(new Route(
                    "tuna-1",
                    List.of(Bench.MODEL),
                    List.of(),
                    true,
                    List.of(serverless("cloud", cloud.uri())),
                    spot,
                    1,
                    small));
            assertThat(Bench.readAll(client)).contains(": continued by", "data: [DONE]");
            assertThat(other.get().statusCode()).isEqualTo(200);
        }
    }

    @Test
    @DisplayName("R4 a stream that waits gets signs of life and then its answer")
    void aWaitingStreamGetsSignsOfLifeAndThenItsAnswer() throws Exception {
        RoutePolicy policy =
                PATIENT.toBuilder().heartbeat(Duration.ofMillis(40)).build();
        bench.router.put(Bench.route(List.of(), List.of(), policy));
        try (Socket client = bench.socket()) {
            Bench.send(client, Bench.raw(stream("hello"), "Connection: close"));
            String head = Bench.readUntil(client, ": waiting\n\n\r\n");
            assertThat(head).startsWith("HTTP/1.1 200 OK").contains("text/event-stream");
            Bench.readUntil(client, ": waiting\n\n\r\n");
            VllmStandIn replica = bench.standIn();
            bench.router.put(Bench.route(List.of(), List.of(spot("spot-1", replica.uri())), policy));
            assertThat(Bench.readAll(client)).contains("data: [DONE]");
        }
        assertThat(bench.settled().succeeded()).isEqualTo(1);
    }

    @Test
    @DisplayName("R4 signs of life do not keep a stream from failing over")
    void signsOfLifeLeaveFailoverOpen() throws Exception {
        RoutePolicy policy = Bench.POLICY.toBuilder()
                .firstTokenTimeout(Duration.ofMillis(400))
                .heartbeat(Duration.ofMillis(40))
                .build();
        VllmStandIn silent = bench.standIn();
        VllmStandIn cloud = bench.standIn();
        silent.inject(Fault.stall(Moment.BEFORE_HEADERS));
        bench.router.put(Bench.route(
                List.of(Bench.serverless("cloud", cloud.uri())), List.of(spot("spot-1", silent.uri())), policy));
        HttpResponse<String> answer = bench.post(stream("hello"));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).startsWith(": waiting\n\n");
        assertThat(events(answer.body())).last().isEqualTo("[DONE]");
        assertThat(Bench.text(answer.body())).isNotEmpty();
        assertThat(bench.settled().failedOver()).isEqualTo(1);
    }

    @Test
    void aWaitInVainIsSaidInBandOnceSignsOfLifeWereSent() throws Exception {
        RoutePolicy policy =
                PATIENT.toBuilder().heartbeat(Duration.ofSeconds(10)).build();
        AtomicLong time = new AtomicLong();
        try (Bench timed = new Bench(time::get)) {
            timed.router.put(Bench.route(List.of(), List.of(), policy));
            var answer = Bench.client().sendAsync(timed.request(Bench.CHAT, stream("hello")), BodyHandlers.ofLines());
            await("it waits", () -> timed.traffic().waiting() == 1);
            time.addAndGet(policy.heartbeat().toNanos());
            assertThat(answer.get().statusCode()).as("once the head has come").isEqualTo(200);
            time.addAndGet(policy.waitLimit().toNanos());
            String body = answer.get().body().map(line -> line + "\n").collect(Collectors.joining());
            assertThat(body).startsWith(": waiting\n\n");
            assertThat(events(body)).hasSize(1);
            assertThat(json(events(body).get(0)).has("error")).isTrue();
            assertThat(timed.settled().failed()).isEqualTo(1);
        }
    }

    @Test
    void aBackendsRefusalIsSaidInBandOnceSignsOfLifeWereSent() throws Exception {
        RoutePolicy policy =
                PATIENT.toBuilder().heartbeat(Duration.ofMillis(40)).build();
        bench.router.put(Bench.route(List.of(), List.of(), policy));
        try (Socket client = bench.socket()) {
            Bench.send(client, Bench.raw(stream("hello"), "Connection: close"));
            assertThat(Bench.readUntil(client, ": waiting\n\n\r\n")).startsWith("HTTP/1.1 200 OK");
            VllmStandIn replica = bench.standIn();
            replica.inject(Fault.status(400));
            bench.router.put(Bench.route(List.of(), List.of(spot("spot-1", replica.uri())), policy));
            String event = Bench.readUntil(client, "\n\n\r\n0\r\n\r\n");
            String error =
                    event.substring(event.indexOf("data: {") + 6, event.indexOf("\n\n", event.indexOf("data: {")));
            assertThat(json(error).path("error").path("code").asInt()).isEqualTo(400);
        }
        assertThat(bench.settled().clientErrors()).isEqualTo(1);
    }

    @Test
    @DisplayName("R-34 an overloaded serverless endpoint is asked again after the rest it wanted")
    void overloadedServerlessIsAskedAgain() throws Exception {
        VllmStandIn cloud = bench.standIn();
        cloud.inject(Fault.tooManyRequests(Duration.ofSeconds(1)).once());
        bench.router.put(Bench.route(List.of(serverless("cloud", cloud.uri())), List.of(), PATIENT));
        HttpResponse<String> answer = bench.post(chat("hello", ""));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(cloud.stats().requests()).isEqualTo(2);
        var traffic = bench.settled();
        assertThat(traffic.requests()).isEqualTo(1);
        assertThat(traffic.succeeded()).isEqualTo(1);
        assertThat(traffic.failedOver()).isZero();
    }

    @Test
    void overloadIsPassedOnWhenWaitingIsInVain() throws Exception {
        VllmStandIn cloud = bench.standIn();
        cloud.inject(Fault.tooManyRequests(Duration.ofSeconds(20)));
        RoutePolicy policy =
                PATIENT.toBuilder().waitLimit(Duration.ofSeconds(3)).build();
        bench.router.put(Bench.route(List.of(serverless("cloud", cloud.uri())), List.of(), policy));
        HttpResponse<String> answer = bench.post(chat("hello", ""));
        assertThat(answer.statusCode()).isEqualTo(429);
        assertThat(answer.headers().firstValue("retry-after")).hasValue("20");
        assertThat(bench.settled().failed()).isEqualTo(1);
    }

    @Test
    void aRequestWhoseOnlyReplicaIsGoneWaitsForTheOneThatBoots() throws Exception {
        VllmStandIn dead = bench.standIn();
        dead.kill();
        List<RouteBackend> old = List.of(spot("spot-1", dead.uri()));
        bench.router.put(new Route("tuna-1", List.of(Bench.MODEL), List.of(), true, List.of(), old, 1, PATIENT));
        CompletableFuture<HttpResponse<String>> answer = sendLater(chat("hello", ""));
        await("it waits", () -> bench.traffic().waiting() == 1);
        VllmStandIn replica = bench.standIn();
        bench.router.put(Bench.route(List.of(), List.of(spot("spot-2", replica.uri())), PATIENT));
        assertThat(answer.get().statusCode()).isEqualTo(200);
    }

    @Test
    void aClientThatLeavesTheRoomIsForgotten() throws Exception {
        bench.router.put(Bench.route(List.of(), List.of(), PATIENT));
        try (Socket client = bench.socket()) {
            Bench.send(client, Bench.raw(chat("hello", "")));
            await("it waits", () -> bench.traffic().waiting() == 1);
        }
        assertThat(bench.settled().clientErrors()).isEqualTo(1);
    }

    @Test
    void aRemovedRouteTellsThoseWhoWait() throws Exception {
        bench.router.put(Bench.route(List.of(), List.of(), PATIENT));
        CompletableFuture<HttpResponse<String>> answer = sendLater(chat("hello", ""));
        await("it waits", () -> bench.traffic().waiting() == 1);
        bench.router.remove("tuna-1");
        assertThat(answer.get().statusCode()).isEqualTo(503);
        assertThat(bench.router.load("tuna-1")).isEmpty();
    }

    @Test
    @DisplayName("R-08 R10 places go to those who wait in the order of their arrival, and nobody overtakes")
    void firstComeFirstServed() throws Exception {
        Semaphore places = new Semaphore(0);
        RawBackend narrow = bench.own(new RawBackend(peer -> {
            peer.request();
            places.acquire();
            peer.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
        }));
        BackendAddress one = new BackendAddress(narrow.uri(), Optional.empty(), "/health", Optional.empty(), 1);
        bench.router.put(Bench.route(List.of(), List.of(new RouteBackend("spot-1", Tier.SPOT, one, false)), PATIENT));
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        answers.add(sendLater(chat("number-0", "")));
        await("the replica is full", () -> narrow.requests.size() == 1);
        for (int i = 1; i < 6; i++) {
            answers.add(sendLater(chat("number-" + i, "")));
            int waiting = i;
            await("it waits", () -> bench.traffic().waiting() == waiting);
        }
        for (int i = 0; i < 6; i++) {
            int arrived = i + 1;
            await("the next one is there", () -> narrow.requests.size() == arrived);
            answers.add(sendLater(chat("late", "")));
            int waiting = 6;
            await("a late one waits behind", () -> bench.traffic().waiting() == waiting);
            places.release();
        }
        places.release(6);
        for (CompletableFuture<HttpResponse<String>> answer : answers) {
            assertThat(answer.get().statusCode()).isEqualTo(200);
        }
        for (int i = 0; i < 12; i++) {
            assertThat(narrow.requests.get(i)).contains(i < 6 ? "number-" + i : "late");
        }
    }

    @Test
    @DisplayName("R10 R13 a client that says how long it waits is told when to come back before it gives up")
    void patienceOfTheClient() throws Exception {
        bench.router.put(Bench.route(List.of(), List.of(), PATIENT));
        HttpResponse<String> answer = bench.post(chat("hello", ""), "x-stainless-read-timeout", "0.2");
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.headers().firstValue("retry-after")).isPresent();
        assertThat(answer.headers().firstValue("x-should-retry"))
                .as("nothing was tried")
                .isEmpty();

        RoutePolicy hours = PATIENT.toBuilder().heartbeat(Duration.ofHours(1)).build();
        bench.router.put(Bench.route(List.of(), List.of(), hours));
        try (Socket client = bench.socket()) {
            Bench.send(client, Bench.raw(stream("hello"), "x-stainless-timeout: 0.2"));
            assertThat(Bench.readUntil(client, ": waiting\n\n\r\n")).startsWith("HTTP/1.1 200 OK");
        }
    }

    @Test
    @DisplayName("R10 what has waited in vain for room gets 429")
    void inVainForRoom() throws Exception {
        VllmStandIn replica = bench.standIn();
        replica.inject(Fault.stall(Moment.BEFORE_HEADERS));
        BackendAddress one = new BackendAddress(replica.uri(), Optional.empty(), "/health", Optional.empty(), 1);
        bench.router.put(Bench.route(
                List.of(),
                List.of(new RouteBackend("spot-1", Tier.SPOT, one, false)),
                PATIENT.toBuilder().waitLimit(Duration.ofMillis(50)).build()));
        var unused = sendLater(chat("a", ""));
        await("the replica is full", () -> replica.stats().modelRequests() == 1);
        HttpResponse<String> answer = bench.post(chat("b", ""));
        assertThat(answer.statusCode()).isEqualTo(429);
        assertThat(answer.headers().firstValue("retry-after")).isPresent();
    }
}
