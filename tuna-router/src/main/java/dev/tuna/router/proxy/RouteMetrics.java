package dev.tuna.router.proxy;

import static java.util.Objects.requireNonNull;

import dev.tuna.api.Tier;
import dev.tuna.router.stream.Method;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Times of one route. Thread-safe.
 *
 * <p>{@code tuna.router.time.to.first.token}: from a streamed request's arrival to its first token, waiting and failed
 * attempts included, by {@code deployment} and {@code tier}. {@code tuna.router.continuations}: backends asked to go on
 * with a broken stream, by {@code method} and {@code result}; {@code method="none"} counts streams that could not be
 * continued.
 */
final class RouteMetrics implements AutoCloseable {

    private static final Duration[] BUCKETS = {
        Duration.ofMillis(50),
        Duration.ofMillis(100),
        Duration.ofMillis(250),
        Duration.ofMillis(500),
        Duration.ofSeconds(1),
        Duration.ofMillis(2500),
        Duration.ofSeconds(5),
        Duration.ofSeconds(10),
        Duration.ofSeconds(30),
        Duration.ofSeconds(60),
        Duration.ofMinutes(5)
    };

    private final MeterRegistry registry;
    private final Map<Tier, Timer> firstToken = new EnumMap<>(Tier.class);
    private final Map<Method, Counter> continued = new EnumMap<>(Method.class);
    private final Map<Method, Counter> refused = new EnumMap<>(Method.class);
    private final Counter notContinued;
    private final Counter clientRetries;

    RouteMetrics(MeterRegistry registry, String deployment) {
        this.registry = registry;
        for (Tier tier : Tier.values()) {
            firstToken.put(
                    tier,
                    Timer.builder("tuna.router.time.to.first.token")
                            .description("From a streamed request's arrival to its first token")
                            .tag("deployment", deployment)
                            .tag("tier", tier.name().toLowerCase(Locale.ROOT))
                            .serviceLevelObjectives(BUCKETS)
                            .register(registry));
        }
        for (Method method : Method.values()) {
            continued.put(method, continuations(deployment, method.label(), "continued"));
            refused.put(method, continuations(deployment, method.label(), "failed"));
        }
        notContinued = continuations(deployment, "none", "failed");
        clientRetries = Counter.builder("tuna.router.client.retries")
                .description("Requests that a client's library sent again after a failure")
                .tag("deployment", deployment)
                .register(registry);
    }

    private Counter continuations(String deployment, String method, String result) {
        return Counter.builder("tuna.router.continuations")
                .description("Attempts to go on with a broken stream, and streams that could not be continued")
                .tag("deployment", deployment)
                .tag("method", method)
                .tag("result", result)
                .register(registry);
    }

    void continuation(Method method, boolean success) {
        requireNonNull((success ? continued : refused).get(method)).increment();
    }

    void notContinued() {
        notContinued.increment();
    }

    void clientRetry() {
        clientRetries.increment();
    }

    void firstToken(Tier tier, long nanos) {
        requireNonNull(firstToken.get(tier)).record(nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void close() {
        firstToken.values().forEach(registry::remove);
        continued.values().forEach(registry::remove);
        refused.values().forEach(registry::remove);
        registry.remove(notContinued);
        registry.remove(clientRetries);
    }
}
