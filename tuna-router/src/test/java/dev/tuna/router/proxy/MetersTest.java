package dev.tuna.router.proxy;

import static dev.tuna.router.proxy.Bench.await;
import static dev.tuna.router.proxy.Bench.chat;
import static dev.tuna.router.proxy.Bench.serverless;
import static dev.tuna.router.proxy.Bench.spot;
import static dev.tuna.router.proxy.Bench.stream;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Tier;
import dev.tuna.router.BackendFailure;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RouterConfig;
import dev.tuna.spi.BackendAddress;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.Fault.Moment;
import dev.tuna.testkit.vllm.VllmStandIn;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.search.Search;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a host finds in the registry that it has given to the router. Time passes as told. */
class MetersTest {

    private static final RoutePolicy POLICY =
            RoutePolicy.builder().heartbeat(Duration.ZERO).build();

    private final MeterRegistry registry = new SimpleMeterRegistry();
    private final AtomicLong time = new AtomicLong(-5_000_000_000L);
    private final Bench bench =
            new Bench(RouterConfig.builder().port(0).ioThreads(2).build(), time::get, registry);
    private final VllmStandIn replica = bench.standIn();
    private final VllmStandIn cloud = bench.standIn();

    @AfterEach
    void close() {
        bench.close();
    }

    private void put(List<RouteBackend> replicas) {
        bench.router.put(Bench.route(List.of(serverless("cloud", cloud.uri())), replicas, POLICY));
    }

    private Search find(String name, String... tags) {
        return registry.find(name).tags("deployment", "tuna-1").tags(tags);
    }

    private double value(String name, String... tags) {
        Meter meter = Objects.requireNonNull(find(name, tags).meter(), () -> name + " " + List.of(tags));
        return meter.measure().iterator().next().getValue();
    }

    private Timer timer(String name, String... tags) {
        Timer timer = Objects.requireNonNull(find(name, tags).timer(), () -> name + " " + List.of(tags));
        assertThat(timer.takeSnapshot().histogramCounts()).as("buckets").isNotEmpty();
        return timer;
    }

    /** How often requests went elsewhere, by why; what never happened is left out. */
    private Map<String, Double> failovers() {
        return find("tuna.router.failovers").counters().stream()
                .filter(counter -> counter.count() > 0)
                .collect(Collectors.toMap(counter -> counter.getId().getTag("reason"), counter -> counter.count()));
    }

    @Test
    void anAnsweredStream() throws Exception {
        put(List.of(spot("spot-1", replica.uri())));
        int tokens = Bench.events(bench.post(stream("hello")).body()).size() - 2;
        bench.settled();

        assertThat(value("tuna.router.requests", "outcome", "succeeded")).isEqualTo(1);
        assertThat(value("tuna.router.answers", "tier", "spot")).isEqualTo(1);
        assertThat(value("tuna.router.tokens")).isEqualTo(tokens);
        assertThat(timer("gen_ai.server.time_to_first_token", "tier", "spot").count())
                .isEqualTo(1);
        assertThat(timer("gen_ai.server.time_per_output_token", "tier", "spot").count())
                .isEqualTo(1);
        assertThat(timer("gen_ai.server.request.duration", "tier", "spot").count())
                .isEqualTo(1);
        assertThat(timer("gen_ai.server.request.duration", "tier", "serverless").count())
                .isZero();
        // Known only when the last byte is written, by when the client may have read it.
        await("the router's own time", () -> timer("tuna.router.overhead").count() == 1);
        assertThat(timer("tuna.router.queue.wait").count()).isZero();
        assertThat(failovers()).isEmpty();
    }

    @Test
    void whatIsBeingDoneAndWhatWaits() throws Exception {
        put(List.of(spot("spot-1", replica.uri())));
        replica.inject(Fault.of(Fault.Kind.STALL));
        CompletableFuture<HttpResponse<String>> answer =
                Bench.client().sendAsync(bench.request(Bench.CHAT, chat("q", "")), BodyHandlers.ofString());
        await("it is being served", () -> value("tuna.router.requests.active") == 1);
        time.addAndGet(POLICY.deadline().toNanos());
        assertThat(answer.get().statusCode()).isEqualTo(504);
        bench.settled();

        bench.router.put(Bench.route(List.of(), List.of(), POLICY));
        answer = Bench.client().sendAsync(bench.request(Bench.CHAT, chat("q", "")), BodyHandlers.ofString());
        await("it waits", () -> value("tuna.router.requests.waiting") == 1);
        time.addAndGet(Duration.ofSeconds(7).toNanos());
        put(List.of());
        assertThat(answer.get().statusCode()).isEqualTo(200);
        bench.settled();
        assertThat(timer("tuna.router.queue.wait").totalTime(TimeUnit.SECONDS)).isEqualTo(7);
        assertThat(value("tuna.router.requests.waiting")).isZero();
    }

    @Test
    void failoversByReason() throws Exception {
        URI nobody = URI.create("http://127.0.0.1:1");
        put(List.of(spot("gone", nobody)));
        assertThat(bench.post(chat("q", "")).statusCode()).isEqualTo(200);
        assertThat(failovers()).isEqualTo(Map.of("connect", 1.0));

        put(List.of(spot("spot-1", replica.uri())));
        replica.inject(Fault.status(500).times(1));
        assertThat(bench.post(chat("q", "")).statusCode()).isEqualTo(200);
        replica.inject(Fault.tooManyRequests(Duration.ZERO).times(1));
        assertThat(bench.post(chat("q", "")).statusCode()).isEqualTo(200);
        replica.inject(Fault.eof(Moment.AFTER_HEADERS).times(1));
        assertThat(bench.post(stream("q")).statusCode()).isEqualTo(200);
        replica.inject(Fault.eof(Moment.atToken(3)).times(1));
        assertThat(bench.post(stream("q")).body()).contains(": continued by");
        assertThat(failovers())
                .isEqualTo(Map.of(
                        "connect", 1.0, "server_error", 1.0, "overloaded", 1.0, "no_answer", 1.0, "mid_stream", 1.0));
        bench.settled();
        assertThat(bench.traffic().failedOver()).isEqualTo(5);
        assertThat(value("tuna.router.continuations", "method", "chat_tokens", "result", "continued"))
                .isEqualTo(1);
        assertThat(value("tuna.router.backend.failures", "failure", "server_error"))
                .isEqualTo(1);
    }

    @Test
    void aFailureThatNobodyMakesGoodIsNoFailover() throws Exception {
        bench.router.put(Bench.route(List.of(), List.of(spot("spot-1", replica.uri())), POLICY));
        replica.inject(Fault.status(500));
        assertThat(bench.post(chat("q", "")).statusCode()).isEqualTo(500);
        assertThat(failovers()).isEmpty();
        assertThat(value("tuna.router.requests", "outcome", "failed")).isEqualTo(1);
    }

    @Test
    void aStreamThatLeavesInTime() throws Exception {
        VllmStandIn steady = bench.own(VllmStandIn.builder().tokensPerSecond(50).start());
        put(List.of(spot("spot-1", steady.uri())));
        CompletableFuture<HttpResponse<String>> answer = Bench.client()
                .sendAsync(
                        bench.request(Bench.CHAT, chat("q", ",\"stream\":true,\"max_tokens\":500")),
                        BodyHandlers.ofString());
        await("it flows", () -> bench.load().tokens() > 2);
        put(List.of(new RouteBackend(
                "spot-1",
                Tier.SPOT,
                BackendAddress.of(steady.uri()),
                true,
                Optional.of(Instant.now().plusSeconds(20)),
                "")));
        time.addAndGet(Duration.ofSeconds(19).toNanos());
        assertThat(answer.get().body()).contains(": continued by").endsWith("data: [DONE]\n\n");
        assertThat(failovers()).isEqualTo(Map.of("departure", 1.0));
    }

    @Test
    void breakersAndTheStateOfSpot() throws Exception {
        put(List.of(spot("spot-1", replica.uri())));
        assertThat(value("tuna.router.spot.state", "state", "ready")).isEqualTo(1);
        assertThat(value("tuna.router.spot.share")).isEqualTo(1);
        assertThat(value("tuna.router.breakers", "state", "closed")).isEqualTo(2);
        replica.kill();
        assertThat(bench.post(chat("q", "")).statusCode()).isEqualTo(200);
        assertThat(value("tuna.router.breakers", "state", "open")).isEqualTo(1);
        assertThat(value("tuna.router.spot.state", "state", "warming")).isEqualTo(1);
        assertThat(value("tuna.router.backends", "available", "false")).isEqualTo(1);
    }

    /** Whoever looks a name up finds it, and every name can be looked up. */
    @Test
    void theDocumentationNamesEveryMeter() throws IOException {
        put(List.of());
        List<String> documented = Files.readAllLines(Path.of("..", "docs", "router.md")).stream()
                .filter(line -> line.startsWith("| `tuna_router_") || line.startsWith("| `gen_ai_"))
                .map(line -> line.split("\\|", -1)[1])
                .flatMap(cell -> cell.contains("requests_active`, `_waiting")
                        ? Stream.of("tuna_router_requests_active", "tuna_router_requests_waiting")
                        : Stream.of(cell.strip().replace("`", "")))
                .map(name -> name.replaceAll("_(total|seconds)$", ""))
                .toList();
        assertThat(registry.getMeters().stream()
                        .filter(meter -> meter.getId().syntheticAssociation() == null)
                        .map(meter -> meter.getId().getName().replace('.', '_'))
                        .collect(Collectors.toSet()))
                .containsExactlyInAnyOrderElementsOf(documented);
    }

    @Test
    void reasonsAreBounded() {
        put(List.of());
        List<String> reasons = Stream.concat(
                        Stream.of(BackendFailure.values())
                                .map(failure -> failure.name().toLowerCase(Locale.ROOT)),
                        Stream.of("departure"))
                .toList();
        assertThat(find("tuna.router.failovers").counters())
                .extracting(counter -> counter.getId().getTag("reason"))
                .containsExactlyInAnyOrderElementsOf(reasons);
    }

    @Test
    void theHostsRegistryIsLeftAsItWas() {
        put(List.of());
        registry.counter("the.hosts.own");
        bench.router.remove("tuna-1");
        bench.router.close();
        assertThat(registry.getMeters())
                .extracting(meter -> meter.getId().getName())
                .containsExactly("the.hosts.own");
    }
}
