package dev.tuna.provider.runpod;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.ResourceRef;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * An endpoint as RunPod tells of it. The answer holds the environment in clear text, so no text form shows it. Immutable.
 *
 * @param id RunPod's id
 * @param name its name, which RunPod does not keep unique
 * @param json the whole answer
 */
record Endpoint(String id, String name, JsonNode json) {

    /** Of several with one name the oldest is the one that counts, for whoever looks. */
    static final Comparator<Endpoint> OLDEST_FIRST = Comparator.comparing(
                    (Endpoint endpoint) -> endpoint.createdAt().orElse(Instant.MAX))
            .thenComparing(Endpoint::id);

    /** What RunPod's first API added to the name of an endpoint with FlashBoot. */
    private static final String FLASHBOOT_SUFFIX = " -fb";

    static Endpoint of(JsonNode json) {
        return new Endpoint(json.path("id").asText(), json.path("name").asText(), json);
    }

    boolean isNamed(String wanted) {
        return name.equals(wanted) || name.equals(wanted + FLASHBOOT_SUFFIX);
    }

    /** An endpoint whose environment is not told counts as ours: its name alone was chosen by Tuna. */
    boolean isOurs() {
        JsonNode env = json.path("env");
        return env.isEmpty() || env.has(EndpointPlanner.OWNER);
    }

    Optional<FoundResource> found() {
        Optional<String> owner = environment(EndpointPlanner.OWNER);
        Optional<String> deployment = environment(EndpointPlanner.DEPLOYMENT);
        if (owner.isEmpty() || deployment.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new FoundResource(
                new ResourceRef(RunPodProvider.NAME, EndpointPlanner.KIND, name.replace(FLASHBOOT_SUFFIX, "")),
                owner.get(),
                deployment.get(),
                createdAt()));
    }

    private Optional<String> environment(String variable) {
        return Optional.of(json.path("env").path(variable).asText("")).filter(value -> !value.isEmpty());
    }

    Optional<Instant> createdAt() {
        try {
            return Optional.of(Instant.parse(json.path("createdAt").asText("")));
        } catch (DateTimeParseException e) {
            return Optional.empty();
        }
    }

    boolean isQueue() {
        return type().equals("QUEUE");
    }

    String type() {
        return json.path("type").asText("");
    }

    /** Where a load balancer takes requests. */
    Optional<String> base() {
        return Optional.of(json.path("requestUrls").path("base").asText("")).filter(url -> !url.isEmpty());
    }

    int workersMax() {
        return json.path("workers").path("max").asInt();
    }

    /** How many workers it was given; RunPod lowers the number when nothing is asked of an endpoint for days. */
    OptionalInt workersWanted() {
        return environment(EndpointPlanner.WORKERS_MAX)
                .filter(max -> max.matches("\\d{1,6}"))
                .map(max -> OptionalInt.of(Integer.parseInt(max)))
                .orElseGet(OptionalInt::empty);
    }

    int requestsPerWorker() {
        return json.path("scaling").path("requestCount").asInt();
    }

    Optional<Duration> timeout() {
        long millis = json.path("timeout").asLong();
        return millis > 0 ? Optional.of(Duration.ofMillis(millis)) : Optional.empty();
    }

    /** What one worker costs. */
    Optional<BigDecimal> usdPerHour(GpuCatalog catalog) {
        List<String> pools = new ArrayList<>();
        json.path("gpu").path("pools").forEach(pool -> pools.add(pool.asText()));
        int count = Math.max(1, json.path("gpu").path("count").asInt(1));
        return catalog.usdPerGpuHour(pools).map(usd -> usd.multiply(BigDecimal.valueOf(count)));
    }

    @Override
    public String toString() {
        return "Endpoint[" + id + ", " + name + "]";
    }
}
