package dev.tuna.testkit.cloud.model;

import dev.tuna.spi.EngineSpec;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The serverless half of the cloud. Guarded by the model's lock. */
final class Serverless {

    private final Site site;
    private final CloudSettings settings;
    private final Map<String, BigDecimal> prices;
    private final Map<String, Endpoint> endpoints = new LinkedHashMap<>();
    /** In the order in which they ended. */
    private final List<Endpoint> gone = new ArrayList<>();

    private Duration coldStart;

    Serverless(Site site, CloudSettings settings) {
        this.site = site;
        this.settings = settings;
        prices = new TreeMap<>(settings.serverlessPrices());
        coldStart = settings.coldStart();
    }

    int queueLimit() {
        return settings.queueLimit();
    }

    Duration coldStart() {
        return coldStart;
    }

    void coldStart(Duration delay) {
        coldStart = delay;
    }

    Map<String, BigDecimal> prices() {
        return Map.copyOf(prices);
    }

    Optional<BigDecimal> price(EngineSpec engine) {
        return Optional.ofNullable(prices.get(engine.gpu()))
                .map(price -> price.multiply(BigDecimal.valueOf(engine.gpuCount())));
    }

    void price(String gpu, BigDecimal usdPerGpuHour) {
        prices.put(gpu, usdPerGpuHour);
        endpoints.values().forEach(Endpoint::reprice);
    }

    EndpointView put(EndpointRequest request) {
        EngineSpec engine = request.engine();
        if (price(engine).isEmpty() || !CloudSettings.CONTAINER_GPU_COUNTS.contains(engine.gpuCount())) {
            throw CloudRefusal.badRequest("no container with " + engine.gpuCount() + " x " + engine.gpu()
                    + "; there are " + CloudSettings.CONTAINER_GPU_COUNTS + " of " + prices.keySet());
        }
        Endpoint known = endpoints.get(request.name());
        if (known == null) {
            known = new Endpoint(site, this, request, settings.deployTime());
            endpoints.put(request.name(), known);
        } else if (known.destroyed()) {
            throw new CloudRefusal(
                    503, "being_destroyed", "endpoint " + request.name() + " is still being destroyed", true);
        } else if (!known.request().owner().equals(request.owner())) {
            throw CloudRefusal.conflict("owned_by_another", "endpoint " + request.name() + " belongs to another owner");
        } else {
            known.update(request);
        }
        return known.view();
    }

    @Nullable
    Endpoint live(String name) {
        Endpoint known = endpoints.get(name);
        return known == null || known.destroyed() ? null : known;
    }

    Optional<EndpointView> view(String name) {
        Endpoint known = endpoints.get(name);
        if (known != null) {
            return Optional.of(known.view());
        }
        return gone.stream()
                .filter(endpoint -> endpoint.request().name().equals(name))
                .reduce((earlier, later) -> later)
                .map(Endpoint::view);
    }

    List<EndpointView> views() {
        return endpoints.values().stream().map(Endpoint::view).toList();
    }

    List<EndpointView> goneViews() {
        return gone.stream().map(Endpoint::view).toList();
    }

    void destroy(String name) {
        Endpoint known = endpoints.get(name);
        if (known != null) {
            known.destroy();
        }
    }

    void gone(Endpoint endpoint) {
        endpoints.remove(endpoint.request().name(), endpoint);
        gone.add(endpoint);
    }

    boolean lose(String containerId) {
        return List.copyOf(endpoints.values()).stream().anyMatch(endpoint -> endpoint.lose(containerId));
    }

    void forget(Instant before) {
        while (!gone.isEmpty() && gone.get(0).endedAt().isBefore(before)) {
            gone.remove(0);
        }
    }
}
