package dev.tuna.router.proxy;

import static java.util.Objects.requireNonNull;

import dev.tuna.api.Tier;
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
 * attempts included, by {@code deployment} and {@code tier}.
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
    }

    void firstToken(Tier tier, long nanos) {
        requireNonNull(firstToken.get(tier)).record(nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void close() {
        firstToken.values().forEach(registry::remove);
    }
}
