package dev.tuna.router.proxy;

import static dev.tuna.router.proxy.Bench.await;
import static dev.tuna.router.proxy.Bench.chat;
import static dev.tuna.router.proxy.Bench.readAll;
import static dev.tuna.router.proxy.Bench.send;
import static dev.tuna.router.proxy.Bench.serverless;
import static dev.tuna.router.proxy.Bench.spot;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.Secret;
import dev.tuna.api.Tier;
import dev.tuna.router.NamedKey;
import dev.tuna.router.Route;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RoutePolicy.Breaker;
import dev.tuna.router.RouterConfig;
import dev.tuna.router.admin.EventLog;
import dev.tuna.router.proxy.EventReader.Event;
import dev.tuna.router.select.LatencyShare;
import dev.tuna.spi.BackendAddress;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Changes of state are told to whoever reads {@code /router/events}, as they happen. Time passes as told. */
class RouterEventsTest {

    private static final RoutePolicy POLICY =
            RoutePolicy.builder().heartbeat(Duration.ZERO).build();
    private static final URI NOWHERE = URI.create("http://127.0.0.1:1");

    private final AtomicLong time = new AtomicLong(-5_000_000_000L);
    private final Bench bench = new Bench(config(Duration.ofMillis(100)), time::get);

    private static RouterConfig config(Duration grace) {
        return RouterConfig.builder()
                .port(0)
                .ioThreads(2)
                .adminKeys(List.of(NamedKey.of("ops", Secret.of(EventReader.ADMIN_KEY))))
                .shutdownGrace(grace)
                .build();
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private void put(List<RouteBackend> serverless, RouteBackend... replicas) {
        bench.router.put(Bench.route(serverless, List.of(replicas), POLICY));
    }

    private static Route other(String deployment, RouteBackend... replicas) {
        return new Route(
                deployment,
                List.of("model-of-" + deployment),
                List.of(),
                true,
                List.of(),
                List.of(replicas),
                0,
                POLICY);
    }

    private static List<String> summaries(EventReader reader, int count) throws IOException {
        List<String> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(reader.next().summary());
        }
        return all;
    }

    @Test
    void theFirstEventIsThePresentState() throws Exception {
        put(List.of(serverless("cloud", NOWHERE)), spot("spot-1", NOWHERE));
        try (EventReader reader = EventReader.of(bench)) {
            assertThat(reader.head)
                    .startsWith("HTTP/1.1 200")
                    .containsIgnoringCase("content-type: text/event-stream")
                    .containsIgnoringCase("cache-control: no-cache")
                    .containsIgnoringCase("x-accel-buffering: no");
            Event state = reader.next();
            assertThat(state.type()).isEqualTo("state");
            assertThat(state.id()).isNotEmpty();
            JsonNode route = state.json().path("deployments").path("tuna-1");
            assertThat(route.path("spot_state").asText()).isEqualTo("ready");
            assertThat(route.path("backends").findValuesAsText("id")).containsExactly("cloud", "spot-1");
        }
    }

    @Test
    void routesAndBackendsThatComeAndGo() throws Exception {
        try (EventReader reader = EventReader.of(bench)) {
            assertThat(reader.next().json().path("deployments")).isEmpty();
            put(List.of(serverless("cloud", NOWHERE)));
            Event added = reader.next();
            assertThat(added.summary()).isEqualTo("route_added");
            assertThat(added.json().path("deployment").asText()).isEqualTo("tuna-1");
            assertThat(added.json().path("models").path(0).asText()).isEqualTo(Bench.MODEL);
            assertThat(added.json().path("spot_state").asText()).isEqualTo("cold");
            assertThat(Instant.parse(added.json().path("at").asText())).isBeforeOrEqualTo(Instant.now());
            Event cloud = reader.next();
            assertThat(cloud.summary()).isEqualTo("backend_added cloud false null");
            assertThat(cloud.json().path("url").asText()).isEqualTo(NOWHERE.toString());

            put(List.of(serverless("cloud", NOWHERE)), spot("spot-1", NOWHERE));
            assertThat(summaries(reader, 2))
                    .containsExactly("backend_added spot-1 false null", "spot_state cold ready");

            Instant end = Instant.parse("2030-01-01T00:00:00Z");
            RouteBackend leaving =
                    new RouteBackend("spot-1", Tier.SPOT, BackendAddress.of(NOWHERE), true, Optional.of(end), "");
            put(List.of(serverless("cloud", NOWHERE)), leaving);
            assertThat(summaries(reader, 3))
                    .containsExactly(
                            "backend_notice spot-1 2030-01-01T00:00:00Z",
                            "backend_draining spot-1 true",
                            "spot_state ready cold");

            put(List.of(serverless("cloud", URI.create("http://127.0.0.1:2"))));
            assertThat(summaries(reader, 3))
                    .as("at another address it is another backend")
                    .containsExactly(
                            "backend_removed cloud", "backend_removed spot-1", "backend_added cloud false null");
            bench.router.remove("tuna-1");
            assertThat(reader.next().summary()).isEqualTo("route_removed");
        }
    }

    @Test
    void breakersFromOpenToClosedAgain() throws Exception {
        VllmStandIn replica = bench.standIn();
        try (EventReader reader = EventReader.of(bench)) {
            reader.next();
            put(List.of(), spot("spot-1", replica.uri()));
            assertThat(summaries(reader, 2)).containsExactly("route_added", "backend_added spot-1 false null");
            replica.inject(Fault.status(500));
            for (int i = 0; i < Breaker.DEFAULT.failures(); i++) {
                bench.post(chat("q", ""), "x-tuna-failover", "off");
            }
            assertThat(summaries(reader, 2))
                    .containsExactly("breaker spot-1 closed open server_error", "spot_state ready warming");

            time.addAndGet(Breaker.DEFAULT.openFor().toNanos());
            assertThat(summaries(reader, 2))
                    .as("time alone does it")
                    .containsExactly("breaker spot-1 open half_open", "spot_state warming ready");

            replica.clearFaults();
            for (int i = 0; i < Breaker.DEFAULT.successes(); i++) {
                assertThat(bench.post(chat("q", "")).statusCode()).isEqualTo(200);
            }
            assertThat(reader.next().summary()).isEqualTo("breaker spot-1 half_open closed");

            replica.inject(Fault.tooManyRequests(Duration.ofSeconds(3)));
            bench.post(chat("q", ""), "x-tuna-failover", "off");
            assertThat(reader.next().summary()).isEqualTo("breaker spot-1 closed cooling");
            time.addAndGet(Duration.ofSeconds(3).toNanos());
            assertThat(reader.next().summary()).isEqualTo("breaker spot-1 cooling closed");
        }
    }

    @Test
    void aSlowReplicasShareOfTheTraffic() throws Exception {
        CountDownLatch gate = new CountDownLatch(1);
        RawBackend replica = bench.own(new RawBackend(peer -> {
            peer.request();
            gate.await();
            peer.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
            peer.say("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n");
            peer.say("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n");
            peer.say("data: [DONE]\n\n");
        }));
        try (EventReader reader = EventReader.of(bench)) {
            reader.next();
            put(List.of(), spot("spot-1", replica.uri()));
            assertThat(summaries(reader, 2)).containsExactly("route_added", "backend_added spot-1 false null");
            List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
            for (int i = 0; i < LatencyShare.ENOUGH; i++) {
                answers.add(Bench.client()
                        .sendAsync(bench.request(Bench.CHAT, Bench.stream("q" + i)), BodyHandlers.ofString()));
            }
            await("all have arrived", () -> replica.requests.size() == LatencyShare.ENOUGH);
            time.addAndGet(POLICY.spill().firstToken().multipliedBy(2).toNanos());
            assertThat(reader.next("share").summary()).isEqualTo("share spot-1 1.0 0.8");
            gate.countDown();
            for (CompletableFuture<HttpResponse<String>> answer : answers) {
                assertThat(answer.get().statusCode()).isEqualTo(200);
            }
            time.addAndGet(LatencyShare.HOLD.plus(LatencyShare.STEP).toNanos());
            assertThat(reader.next("share").summary()).as("time alone does it").isEqualTo("share spot-1 0.8 0.85");
        }
    }

    @Test
    void oneDeploymentCanBeAskedFor() throws Exception {
        bench.router.put(other("a"));
        try (EventReader reader = new EventReader(bench, "?deployment=b", "")) {
            assertThat(reader.next().json().path("deployments"))
                    .as("may still come")
                    .isEmpty();
            bench.router.put(other("a", spot("spot-a", NOWHERE)));
            bench.router.put(other("b", spot("spot-b", NOWHERE)));
            assertThat(summaries(reader, 2)).containsExactly("route_added", "backend_added spot-b false null");
        }
    }

    @Test
    void whoComesBackHearsWhatWasMissed() throws Exception {
        String last;
        try (EventReader reader = EventReader.of(bench)) {
            reader.next();
            put(List.of());
            assertThat(reader.next().summary()).isEqualTo("route_added");
            put(List.of(), spot("spot-1", NOWHERE));
            reader.next();
            last = reader.next().id();
        }
        put(List.of(), spot("spot-1", NOWHERE), spot("spot-2", NOWHERE));
        bench.router.put(other("b"));
        bench.router.remove("b");
        String further;
        try (EventReader reader = new EventReader(bench, "", last)) {
            Event state = reader.next();
            assertThat(state.type()).isEqualTo("state");
            assertThat(state.id())
                    .as("to lose the connection here loses nothing")
                    .isEmpty();
            assertThat(state.json().findPath("backends").findValuesAsText("id")).containsExactly("spot-1", "spot-2");
            Event missed = reader.next();
            assertThat(missed.summary()).isEqualTo("backend_added spot-2 false null");
            further = missed.id();
        }
        try (EventReader reader = new EventReader(bench, "?deployment=tuna-1", further)) {
            reader.next();
            put(List.of(), spot("spot-2", NOWHERE));
            assertThat(reader.next().summary()).isEqualTo("backend_removed spot-1");
        }
    }

    @Test
    void whoHasMissedTooMuchIsTold() throws Exception {
        put(List.of());
        for (String unknown : List.of("another-run-7", "nonsense", "-1")) {
            try (EventReader reader = new EventReader(bench, "", unknown)) {
                Event state = reader.next();
                assertThat(state.type()).isEqualTo("state");
                assertThat(state.id()).isNotEmpty();
                assertThat(reader.next().type()).isEqualTo("gap");
            }
        }
    }

    @Test
    void silenceIsBrokenByComments() throws Exception {
        try (EventReader reader = EventReader.of(bench)) {
            reader.next();
            for (int i = 0; i < 3; i++) {
                time.addAndGet(EventStream.HEARTBEAT.toNanos());
                Event comment = reader.next();
                assertThat(comment.type()).isEmpty();
            }
        }
    }

    /** Each put changes every backend, so that what is not read is soon more than any socket holds. */
    @Test
    void aSlowReaderIsCutAndHoldsUpNobody() throws Exception {
        bench.router.put(fleet(false));
        try (Socket slow = bench.socket();
                EventReader quick = EventReader.of(bench)) {
            quick.next();
            send(slow, "GET /router/events HTTP/1.0\r\nx-api-key: " + EventReader.ADMIN_KEY + "\r\n\r\n");
            assertThat(slow.getInputStream().read()).isEqualTo('H');
            boolean draining = false;
            for (int round = 0; round < 500 && !isCut(slow); round++) {
                draining = !draining;
                bench.router.put(fleet(draining));
                for (int backend = 0; backend < EventLog.MOST / 2; backend++) {
                    assertThat(quick.next("backend_draining").data()).contains("\"draining\":" + draining);
                }
            }
            assertThat(isCut(slow)).isTrue();
        }
    }

    /** What is sent to a socket that its owner has closed is answered with a reset, which the next write hits. */
    private static boolean isCut(Socket socket) {
        try {
            send(socket, "x");
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    private static Route fleet(boolean draining) {
        List<RouteBackend> replicas = new ArrayList<>();
        for (int i = 0; i < EventLog.MOST / 2; i++) {
            replicas.add(new RouteBackend(
                    "spot-" + i + "-" + "x".repeat(200), Tier.SPOT, BackendAddress.of(NOWHERE), draining));
        }
        return Bench.route(List.of(), replicas, POLICY);
    }

    @Test
    void readersAreLimited() throws Exception {
        List<EventReader> readers = new ArrayList<>();
        for (int i = 0; i < RouterEvents.MOST_READERS; i++) {
            readers.add(bench.own(EventReader.of(bench)));
        }
        try (EventReader refused = EventReader.of(bench)) {
            assertThat(refused.head).startsWith("HTTP/1.1 503").containsIgnoringCase("retry-after: 10");
            assertThat(refused.rest()).contains("too_many_readers");
        }
        readers.get(0).close();
        await("its place is free", () -> {
            time.addAndGet(Duration.ofMillis(300).toNanos()); // whether one has left is asked now and then
            try (EventReader next = EventReader.of(bench)) {
                return next.head.startsWith("HTTP/1.1 200");
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
    }

    @Test
    void needsAnAdminKey() throws Exception {
        put(List.of());
        assertThat(bench.get("/router/events").statusCode()).isEqualTo(401);
        try (Socket client = bench.socket()) {
            send(client, "GET /router/events?deployment=a%20b HTTP/1.0\r\nx-api-key: wrong\r\n\r\n");
            assertThat(readAll(client)).startsWith("HTTP/1.1 401");
        }
    }

    /** The grace is longer than the test may take. */
    @Test
    void closingTheRouterEndsTheStreamInOrder() throws Exception {
        Bench closing = new Bench(config(Duration.ofMinutes(10)));
        CompletableFuture<Void> closed;
        try (Socket client = closing.socket()) {
            send(client, "GET /router/events HTTP/1.1\r\nHost: x\r\nx-api-key: " + EventReader.ADMIN_KEY + "\r\n\r\n");
            assertThat(Bench.readUntil(client, "\n\n\r\n")).containsIgnoringCase("transfer-encoding: chunked");
            closed = CompletableFuture.runAsync(closing::close);
            assertThat(readAll(client)).isEqualTo("0\r\n\r\n");
        }
        closed.join();
    }
}
