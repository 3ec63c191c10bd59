package dev.tuna.testkit.runpod;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.Secret;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** One account with its endpoints. Thread-safe. */
final class Account {

    private final RunPodStandIn.Builder config;
    private final Map<String, StandInEndpoint> endpoints = new ConcurrentSkipListMap<>();
    private final AtomicInteger made = new AtomicInteger();
    private volatile URI uri = URI.create("http://127.0.0.1");

    Account(RunPodStandIn.Builder config) {
        this.config = config;
    }

    void listensAt(URI here) {
        uri = here;
    }

    Secret key() {
        return config.key;
    }

    Duration coldLimit() {
        return config.coldLimit;
    }

    BigDecimal balance() {
        return config.balance;
    }

    int pageSize() {
        return config.pageSize;
    }

    List<StandInEndpoint> endpoints() {
        return List.copyOf(endpoints.values());
    }

    Stream<StandInEndpoint> named(String name) {
        return endpoints().stream().filter(endpoint -> endpoint.name().equals(name));
    }

    Optional<StandInEndpoint> endpoint(String id) {
        return Optional.ofNullable(endpoints.get(id));
    }

    /** Whether so many more workers may be asked for. */
    boolean hasRoomFor(int workers, String butFor) {
        int taken = endpoints().stream()
                .filter(endpoint -> !endpoint.id().equals(butFor))
                .mapToInt(StandInEndpoint::max)
                .sum();
        return taken + workers <= config.workerQuota;
    }

    int workerQuota() {
        return config.workerQuota;
    }

    StandInEndpoint create(ObjectNode settings) {
        String id = "ep%06d".formatted(made.incrementAndGet());
        StandInEndpoint endpoint = new StandInEndpoint(id, settings, config.bootTime, uri);
        endpoints.put(id, endpoint);
        return endpoint;
    }

    boolean delete(String id) {
        StandInEndpoint endpoint = endpoints.remove(id);
        if (endpoint != null) {
            endpoint.close();
        }
        return endpoint != null;
    }
}
