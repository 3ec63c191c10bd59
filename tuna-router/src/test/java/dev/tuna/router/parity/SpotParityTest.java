package dev.tuna.router.parity;

import static dev.tuna.router.parity.ParityRig.CHAT;
import static dev.tuna.router.parity.ParityRig.backend;
import static dev.tuna.router.parity.ParityRig.chat;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RoutePolicy.Breaker;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** When spot is used, when it is left, and how it comes back. */
class SpotParityTest {

    private final ParityRig rig = new ParityRig();
    private final VllmStandIn spot = rig.standIn();
    private final VllmStandIn cloud = rig.standIn();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    @DisplayName("R-22 R-25 R-28 the state is what the replicas are, at once")
    void states() {
        rig.serverless(cloud.uri());
        assertThat(rig.load().spotState()).isEqualTo(SpotState.COLD);
        rig.warming(1);
        assertThat(rig.load().spotState()).isEqualTo(SpotState.WARMING);
        assertThat(backend(rig.ask(""))).isEqualTo("serverless-1");

        rig.spot(spot.uri());
        assertThat(rig.load().spotState()).isEqualTo(SpotState.READY);
        assertThat(backend(rig.ask(""))).isEqualTo("spot-1");

        rig.warming(0);
        assertThat(rig.load().spotState())
                .as("a replica that never came does not hide the one that serves")
                .isEqualTo(SpotState.READY);
        rig.spot();
        assertThat(rig.load().spotState()).isEqualTo(SpotState.COLD);
        assertThat(backend(rig.ask(""))).isEqualTo("serverless-1");
    }

    @Test
    @DisplayName("R-23 requests to a cold fleet ask for it once")
    void wakesOnce() {
        rig.serverless(cloud.uri());
        for (int i = 0; i < 5; i++) {
            rig.ask("");
        }
        assertThat(rig.demands).containsExactly("chat");

        rig.spot(spot.uri());
        rig.ask("");
        rig.settled();
        rig.spot();
        rig.ask("");
        assertThat(rig.demands).as("again, after a replica has served").containsExactly("chat", "chat");
    }

    @Test
    @DisplayName("R-24 new backends are used from the next request on")
    void newUrls() {
        VllmStandIn second = rig.standIn();
        rig.spot(spot.uri());
        rig.ask("");
        rig.spot(second.uri());
        rig.ask("");

        assertThat(spot.requests(CHAT)).hasSize(1);
        assertThat(second.requests(CHAT)).hasSize(1);
    }

    @Test
    @DisplayName("R-26, experiments 2 and 3: one poison request does not take the fleet out")
    void onePoisonRequest() {
        spot.inject(Fault.status(500).times(1));
        rig.spot(spot.uri()).serverless(cloud.uri());

        HttpResponse<String> poison = rig.ask("");
        assertThat(poison.statusCode()).isEqualTo(200);
        assertThat(backend(poison)).isEqualTo("serverless-1");
        assertThat(rig.load().spotState()).isEqualTo(SpotState.READY);
        assertThat(backend(rig.ask(""))).isEqualTo("spot-1");
        assertThat(cloud.requests(CHAT)).hasSize(1);
    }

    @Test
    @DisplayName("R-26 a replica that keeps failing is left alone")
    void breakerOpens() {
        spot.inject(Fault.status(500));
        rig.policy(RoutePolicy.builder().breaker(new Breaker(3, Duration.ofMinutes(10), 1, 1, Duration.ofSeconds(1))))
                .spot(spot.uri())
                .serverless(cloud.uri());
        for (int i = 0; i < 8; i++) {
            assertThat(rig.ask("").statusCode()).isEqualTo(200);
        }

        assertThat(spot.requests(CHAT)).hasSize(3);
        assertThat(rig.load().spotState()).as("it may come back").isEqualTo(SpotState.WARMING);
    }

    @Test
    @DisplayName("R-27 a replica that has recovered gets the next request, not the one after it")
    void comesBackAtOnce() {
        spot.inject(Fault.status(500).times(1));
        rig.policy(RoutePolicy.builder().breaker(new Breaker(1, Duration.ZERO, 1, 1, Duration.ZERO)))
                .spot(spot.uri())
                .serverless(cloud.uri());

        assertThat(backend(rig.ask(""))).isEqualTo("serverless-1");
        assertThat(backend(rig.ask(""))).isEqualTo("spot-1");
        assertThat(backend(rig.ask(""))).isEqualTo("spot-1");
        assertThat(cloud.requests(CHAT)).hasSize(1);
    }

    @Test
    @DisplayName("R-28 a replica that is gone gets nothing more, even with a request on its way")
    void leavingReplica() throws Exception {
        VllmStandIn slow = rig.standIn(VllmStandIn.builder().timeToFirstToken(Duration.ofMillis(300)));
        rig.spot(slow.uri()).serverless(cloud.uri());
        CompletableFuture<HttpResponse<String>> running = rig.askLater(chat(""));
        ParityRig.await("it works on the first", () -> slow.stats().modelRequests() == 1);
        rig.spot();

        assertThat(backend(rig.ask(""))).isEqualTo("serverless-1");
        assertThat(backend(running.get())).as("what runs is answered").isEqualTo("spot-1");
    }

    @Test
    @DisplayName("R-29, experiment 12: a slow whole answer is not taken for death and is run once")
    void slowAnswer() {
        VllmStandIn slow = rig.standIn(VllmStandIn.builder().timeToFirstToken(Duration.ofSeconds(1)));
        rig.policy(RoutePolicy.builder()
                        .firstTokenTimeout(Duration.ofMillis(100))
                        .idleTimeout(Duration.ofMillis(100)))
                .spot(slow.uri())
                .serverless(cloud.uri());

        HttpResponse<String> answer = rig.ask("");

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(backend(answer)).isEqualTo("spot-1");
        assertThat(slow.requests(CHAT)).hasSize(1);
        assertThat(cloud.requests()).isEmpty();
        assertThat(rig.load().spotState()).isEqualTo(SpotState.READY);
    }

    @Test
    @DisplayName("R-30, experiment 9: 220 streams at once, and no healthy replica is blamed for any of them")
    void manyStreams() throws Exception {
        VllmStandIn wide = rig.standIn(VllmStandIn.builder().capacity(300).timeToFirstToken(Duration.ofMillis(500)));
        rig.spot(wide.uri()).serverless(cloud.uri());
        List<CompletableFuture<HttpResponse<String>>> streams = new ArrayList<>();
        for (int i = 0; i < 220; i++) {
            streams.add(rig.askLater(ParityRig.stream()));
        }
        for (CompletableFuture<HttpResponse<String>> stream : streams) {
            assertThat(stream.get().statusCode()).isEqualTo(200);
            assertThat(stream.get().body()).endsWith("data: [DONE]\n\n");
        }

        assertThat(rig.load().spotState()).isEqualTo(SpotState.READY);
        assertThat(cloud.requests()).isEmpty();
        assertThat(rig.settled().byTier()).containsEntry(Tier.SPOT, 220L);
    }

    @Test
    @DisplayName("R-31, experiment 11: a fleet that serves is used, however rare the requests")
    void rareRequests() {
        rig.spot(spot.uri()).serverless(cloud.uri());
        for (int i = 0; i < 5; i++) {
            assertThat(backend(rig.ask(""))).isEqualTo("spot-1");
            rig.settled();
            rig.put(); // as the control loop does while nothing happens
        }

        assertThat(cloud.requests()).isEmpty();
    }

    @Test
    @Tag("full")
    @DisplayName("R-31, experiment 11: requests more than a minute apart all go to spot")
    void veryRareRequests() {
        rig.spot(spot.uri()).serverless(cloud.uri());
        for (int i = 0; i < 2; i++) {
            assertThat(backend(rig.ask(""))).isEqualTo("spot-1");
            long end = System.nanoTime() + Duration.ofSeconds(65).toNanos();
            while (System.nanoTime() - end < 0) {
                LockSupport.parkNanos(100_000_000);
            }
        }
        assertThat(backend(rig.ask(""))).isEqualTo("spot-1");
        assertThat(rig.load().spotState()).isEqualTo(SpotState.READY);
        assertThat(cloud.requests()).isEmpty();
    }

    @Test
    @DisplayName("R-34 a serverless endpoint that fails is followed by the next")
    void nextServerless() {
        VllmStandIn other = rig.standIn();
        cloud.inject(Fault.status(503));
        rig.serverless(cloud.uri(), other.uri());

        assertThat(backend(rig.ask(""))).isEqualTo("serverless-2");
        assertThat(rig.settled().failedOver()).isEqualTo(1);
    }

    @Test
    @DisplayName("R-34 R-45 a full fleet spills to serverless, and what fails there gets the next free place on spot")
    void backToSpot() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        RawBackend narrow = rig.own(new RawBackend(connection -> {
            release.await();
            ParityRig.write(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        }));
        cloud.inject(Fault.status(500).times(1));
        rig.spot(1, narrow.uri()).serverless(cloud.uri());
        CompletableFuture<HttpResponse<String>> first = rig.askLater(chat(""));
        ParityRig.await("the replica is full", () -> !narrow.requests.isEmpty());
        CompletableFuture<HttpResponse<String>> second = rig.askLater(chat(""));
        ParityRig.await("serverless has failed it", () -> rig.load().traffic().waiting() == 1);
        release.countDown();

        assertThat(backend(first.get())).isEqualTo("spot-1");
        assertThat(second.get().statusCode()).isEqualTo(200);
        assertThat(backend(second.get())).isEqualTo("spot-1");
        assertThat(backend(rig.ask(""))).isEqualTo("spot-1");
        assertThat(cloud.requests(CHAT)).hasSize(1);
    }

    @Test
    @DisplayName("R-34 R-38 a client's own error is neither retried nor held against anybody")
    void clientsOwnFault() {
        rig.policy(RoutePolicy.builder().breaker(new Breaker(1, Duration.ofMinutes(9), 1, 1, Duration.ZERO)))
                .spot(spot.uri())
                .serverless(cloud.uri());

        HttpResponse<String> answer = rig.ask(",\"max_tokens\":-1");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(backend(answer)).isEqualTo("spot-1");
        assertThat(cloud.requests()).isEmpty();
        assertThat(rig.load().spotState()).isEqualTo(SpotState.READY);
        TrafficStats traffic = rig.settled();
        assertThat(traffic.failed()).isZero();
        assertThat(traffic.clientErrors()).isEqualTo(1);
    }
}
