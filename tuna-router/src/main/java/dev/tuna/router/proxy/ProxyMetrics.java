package dev.tuna.router.proxy;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * What the data plane measures as it goes, beside the counts that are read from the routes. Thread-safe.
 *
 * <p>{@code tuna.router.refusals} counts requests that no deployment was asked about, by {@code status}; the times of each
 * route are in {@link RouteMetrics}.
 */
final class ProxyMetrics implements AutoCloseable {

    private final MeterRegistry registry;
    private final Queue<Meter> own = new ConcurrentLinkedQueue<>();
    private final List<Counter> refusals;

    /** Statuses that the router refuses requests with; any other counts as the last. */
    private static final int[] STATUSES = {400, 401, 403, 404, 405, 408, 409, 413, 414, 417, 431, 503, 505, 500};

    ProxyMetrics(MeterRegistry registry) {
        this.registry = registry;
        this.refusals = Arrays.stream(STATUSES)
                .mapToObj(status -> Counter.builder("tuna.router.refusals")
                        .description("Requests refused before any deployment was asked, by HTTP status")
                        .tag("status", Integer.toString(status))
                        .register(registry))
                .toList();
        own.addAll(refusals);
    }

    RouteMetrics of(String deployment) {
        return new RouteMetrics(registry, deployment);
    }

    void refused(int status) {
        int index = 0;
        while (index < STATUSES.length - 1 && STATUSES[index] != status) {
            index++;
        }
        refusals.get(index).increment();
    }

    @Override
    public void close() {
        own.forEach(registry::remove);
    }
}
