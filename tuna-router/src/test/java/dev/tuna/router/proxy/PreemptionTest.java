package dev.tuna.router.proxy;

import static dev.tuna.router.proxy.Bench.chat;
import static dev.tuna.router.proxy.Bench.events;
import static dev.tuna.router.proxy.Bench.json;
import static dev.tuna.router.proxy.Bench.serverless;
import static dev.tuna.router.proxy.Bench.spot;
import static dev.tuna.router.proxy.Bench.stream;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.Tier;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RoutePolicy;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Replicas are lost one after the other under load, and their clients never notice. */
class PreemptionTest {

    private static final int CONCURRENT = 200;
    private static final int REQUESTS = 1200;
    private static final int KILL_EVERY = 150;
    private static final long SEED = 20261124;

    /** Long enough to be killed in, and no limit that a slow machine could trip over. */
    private static final RoutePolicy POLICY = RoutePolicy.builder()
            .firstTokenTimeout(Duration.ofMinutes(2))
            .idleTimeout(Duration.ofMinutes(2))
            .build();

    private final List<VllmStandIn> replicas = new ArrayList<>();
    private final List<RouteBackend> routed = new ArrayList<>();
    private int launched;

    private void launch() {
        VllmStandIn replica =
                VllmStandIn.builder().timeToFirstToken(Duration.ofMillis(40)).start();
        replicas.add(replica);
        routed.add(spot("spot-" + ++launched, replica.uri()));
    }

    @Test
    @DisplayName("no request fails while replicas are killed under 200 concurrent requests, and the counts add up")
    void nobodyNotices() throws Exception {
        try (Bench bench = new Bench();
                VllmStandIn cloud = VllmStandIn.start()) {
            for (int i = 0; i < 3; i++) {
                launch();
            }
            List<RouteBackend> serverless = List.of(serverless("cloud", cloud.uri()));
            bench.router.put(Bench.route(serverless, routed, POLICY));
            Random random = new Random(SEED);
            Semaphore places = new Semaphore(CONCURRENT);
            AtomicInteger cutStreams = new AtomicInteger();
            List<CompletableFuture<Void>> answers = new ArrayList<>();
            for (int i = 0; i < REQUESTS; i++) {
                if (i % KILL_EVERY == KILL_EVERY - 1) {
                    int victim = random.nextInt(routed.size());
                    replicas.get(victim).kill();
                    launch(); // the router learns of the new one at once and of the loss only by itself
                    bench.router.put(Bench.route(serverless, routed, POLICY));
                    forget(victim);
                }
                places.acquire();
                boolean streamed = i % 3 == 0;
                answers.add(Bench.client()
                        .sendAsync(
                                bench.request(
                                        Bench.CHAT, streamed ? stream("q" + i) : chat("q" + i, ",\"max_tokens\":4")),
                                BodyHandlers.ofString())
                        .thenAccept(answer -> check(answer, streamed, cutStreams))
                        .whenComplete((done, failure) -> places.release()));
            }
            for (CompletableFuture<Void> answer : answers) {
                answer.get();
            }
            assertThat(cutStreams).as("streams that nobody went on with").hasValue(0);
            TrafficStats traffic = bench.settled();
            assertThat(traffic.requests()).isEqualTo(REQUESTS);
            assertThat(traffic.failed()).isEqualTo(cutStreams.get());
            assertThat(traffic.succeeded()).isEqualTo(REQUESTS - cutStreams.get());
            assertThat(traffic.clientErrors()).isZero();
            assertThat(answered(traffic, Tier.SPOT) + answered(traffic, Tier.SERVERLESS))
                    .isEqualTo(traffic.succeeded());
            assertThat(bench.load().backends().values()).allMatch(load -> load.inFlight() == 0);
            assertThat(cloud.stats().completed()).isEqualTo(answered(traffic, Tier.SERVERLESS));
        } finally {
            replicas.forEach(VllmStandIn::close);
        }
    }

    private static long answered(TrafficStats traffic, Tier tier) {
        return traffic.byTier().getOrDefault(tier, 0L);
    }

    /** The next route no longer names it; requests already on it or about to try it must cope. */
    private void forget(int victim) {
        replicas.remove(victim).close();
        routed.remove(victim);
    }

    private static void check(HttpResponse<String> answer, boolean streamed, AtomicInteger cutStreams) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        if (!streamed) {
            assertThat(json(answer.body()).path("object").asText()).isEqualTo("chat.completion");
            return;
        }
        List<String> events = events(answer.body());
        if (!events.get(events.size() - 1).equals("[DONE]")) {
            assertThat(events).as("cut after its first token").hasSizeGreaterThan(1);
            assertThat(json(events.get(events.size() - 1)).has("error")).isTrue();
            cutStreams.incrementAndGet();
        }
    }
}
