package dev.tuna.router.proxy;

import static java.util.Objects.requireNonNull;

import dev.tuna.api.Tier;
import dev.tuna.router.BackendFailure;
import dev.tuna.router.stream.Method;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * What one route measures as it goes, beside the counts that are read from it. Thread-safe. All by {@code deployment};
 * OpenTelemetry's names for generative AI where there is one.
 *
 * <table>
 *   <caption>Meters</caption>
 *   <tr><th>name</th><th>kind</th><th>what, and further tags</th></tr>
 *   <tr><td>{@code gen_ai.server.time_to_first_token}</td><td>histogram</td><td>from a streamed request's arrival to its
 *     first token, waiting and failed attempts included; {@code tier}</td></tr>
 *   <tr><td>{@code gen_ai.server.time_per_output_token}</td><td>histogram</td><td>mean over the stream, after the first
 *     token; {@code tier}</td></tr>
 *   <tr><td>{@code gen_ai.server.request.duration}</td><td>histogram</td><td>from the arrival of a request that succeeded to
 *     the end of its answer; {@code tier}</td></tr>
 *   <tr><td>{@code tuna.router.queue.wait}</td><td>histogram</td><td>what requests that had to wait for a backend waited</td></tr>
 *   <tr><td>{@code tuna.router.overhead}</td><td>histogram</td><td>what the router itself adds to an answer: from the whole
 *     request to its being sent, and from the first of the answer to its being written; for requests that did not wait and
 *     whose first attempt succeeded, connecting left out</td></tr>
 *   <tr><td>{@code tuna.router.client.retries}</td><td>counter</td><td>requests that a client's library sent again</td></tr>
 *   <tr><td>{@code tuna.router.failovers}</td><td>counter</td><td>requests sent to another backend than before, once for each
 *     time; {@code reason}: how the one before failed, or {@code departure} for a stream that leaves before its backend
 *     ends</td></tr>
 *   <tr><td>{@code tuna.router.continuations}</td><td>counter</td><td>backends asked to go on with a broken stream;
 *     {@code method} and {@code result}; {@code method="none"} for streams that could not be continued</td></tr>
 * </table>
 */
final class RouteMetrics implements AutoCloseable {

    private static final Duration[] ANSWERS =
            buckets(50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000);
    private static final Duration[] TOKENS = buckets(5, 10, 25, 50, 75, 100, 150, 250, 500, 1000, 2500);
    private static final Duration[] OVERHEAD = Stream.of(50, 100, 200, 300, 500, 1000, 2000, 5000, 20_000, 100_000)
            .map(micros -> Duration.ofNanos(micros * 1000L))
            .toArray(Duration[]::new);

    private final MeterRegistry registry;
    private final Tags tags;
    private final List<Meter> own = new ArrayList<>();
    private final Map<Tier, Timer> firstToken;
    private final Map<Tier, Timer> perToken;
    private final Map<Tier, Timer> durations;
    private final Timer queueWait;
    private final Timer overhead;
    private final Map<Method, Counter> continued = new EnumMap<>(Method.class);
    private final Map<Method, Counter> refused = new EnumMap<>(Method.class);
    private final Counter notContinued;
    private final Map<BackendFailure, Counter> failovers = new EnumMap<>(BackendFailure.class);
    private final Counter departures;
    private final Counter clientRetries;

    RouteMetrics(MeterRegistry registry, String deployment) {
        this.registry = registry;
        this.tags = Tags.of("deployment", deployment);
        firstToken = timers(
                "gen_ai.server.time_to_first_token", "From a streamed request's arrival to its first token", ANSWERS);
        perToken = timers(
                "gen_ai.server.time_per_output_token", "Time for each token of a stream after the first", TOKENS);
        durations =
                timers("gen_ai.server.request.duration", "From a request's arrival to the end of its answer", ANSWERS);
        queueWait = timer("tuna.router.queue.wait", "What requests waited for a backend", tags, ANSWERS);
        overhead = timer("tuna.router.overhead", "What the router itself adds to an answer", tags, OVERHEAD);
        for (Method method : Method.values()) {
            continued.put(method, continuations(method.label(), "continued"));
            refused.put(method, continuations(method.label(), "failed"));
        }
        notContinued = continuations("none", "failed");
        for (BackendFailure failure : BackendFailure.values()) {
            failovers.put(failure, failovers(failure.name().toLowerCase(Locale.ROOT)));
        }
        departures = failovers("departure");
        clientRetries = own(Counter.builder("tuna.router.client.retries")
                .description("Requests that a client's library sent again after a failure")
                .tags(tags)
                .register(registry));
    }

    private static Duration[] buckets(int... millis) {
        Duration[] limits = new Duration[millis.length];
        for (int i = 0; i < millis.length; i++) {
            limits[i] = Duration.ofMillis(millis[i]);
        }
        return limits;
    }

    private Map<Tier, Timer> timers(String name, String help, Duration[] buckets) {
        Map<Tier, Timer> timers = new EnumMap<>(Tier.class);
        for (Tier tier : Tier.values()) {
            timers.put(tier, timer(name, help, tags.and("tier", tier.name().toLowerCase(Locale.ROOT)), buckets));
        }
        return timers;
    }

    private Timer timer(String name, String help, Tags all, Duration[] buckets) {
        return own(Timer.builder(name)
                .description(help)
                .tags(all)
                .serviceLevelObjectives(buckets)
                .register(registry));
    }

    private Counter continuations(String method, String result) {
        return own(Counter.builder("tuna.router.continuations")
                .description("Attempts to go on with a broken stream, and streams that could not be continued")
                .tags(tags)
                .tag("method", method)
                .tag("result", result)
                .register(registry));
    }

    private Counter failovers(String reason) {
        return own(Counter.builder("tuna.router.failovers")
                .description("Requests sent to another backend than before, by why")
                .tags(tags)
                .tag("reason", reason)
                .register(registry));
    }

    private <M extends Meter> M own(M meter) {
        own.add(meter);
        return meter;
    }

    void continuation(Method method, boolean success) {
        requireNonNull((success ? continued : refused).get(method)).increment();
    }

    void notContinued() {
        notContinued.increment();
    }

    void failover(Optional<BackendFailure> failure) {
        failure.map(failovers::get).orElse(departures).increment();
    }

    void clientRetry() {
        clientRetries.increment();
    }

    void firstToken(Tier tier, long nanos) {
        record(firstToken, tier, nanos);
    }

    void perToken(Tier tier, long nanos) {
        record(perToken, tier, nanos);
    }

    void succeeded(Tier tier, long nanos) {
        record(durations, tier, nanos);
    }

    void waited(long nanos) {
        queueWait.record(nanos, TimeUnit.NANOSECONDS);
    }

    void overhead(long nanos) {
        overhead.record(nanos, TimeUnit.NANOSECONDS);
    }

    private static void record(Map<Tier, Timer> timers, Tier tier, long nanos) {
        requireNonNull(timers.get(tier)).record(nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void close() {
        own.forEach(registry::remove);
    }
}
