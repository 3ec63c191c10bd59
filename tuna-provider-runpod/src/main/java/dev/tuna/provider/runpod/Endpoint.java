package dev.tuna.provider.runpod;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.Secret;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.ResourceRef;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

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

    /** The name that was asked for; what RunPod's first API added to that of an endpoint with FlashBoot; parked or not. */
    private static final Pattern NAME = Pattern.compile("(.*?)( -fb)?( -parked-(\\d{1,6})-(\\d{1,6}))?");

    private static final int PARKED = 3;
    private static final int PARKED_MIN = 4;
    private static final int PARKED_MAX = 5;

    static Endpoint of(JsonNode json) {
        return new Endpoint(json.path("id").asText(), json.path("name").asText(), json);
    }

    boolean isNamed(String wanted) {
        return plainName().equals(wanted);
    }

    /** The name without what has been added to it since. */
    String plainName() {
        return String.valueOf(parts().group(1));
    }

    private Matcher parts() {
        Matcher parts = NAME.matcher(name);
        if (!parts.matches()) {
            throw new IllegalStateException("the pattern does not match every name");
        }
        return parts;
    }

    /**
     * Whether it is parked. RunPod has no such state, and an endpoint that may have no workers could as well have been
     * idle for a week, so its name tells; renaming it replaces no worker.
     */
    boolean isParked() {
        return parts().group(PARKED) != null;
    }

    /** What has to change for it to have no workers until it is unparked; empty if it is parked. */
    Map<String, Object> parking() {
        if (isParked()) {
            return Map.of();
        }
        String parked = " -parked-" + workersMin() + "-" + workersMax();
        return Map.of("name", name + parked, "workers", workers(0, 0));
    }

    /** What has to change for it to have as many workers as before it was parked; empty if it is not. */
    Map<String, Object> unparking() {
        Matcher parts = parts();
        return parts.group(PARKED) == null
                ? Map.of()
                : Map.of(
                        "name",
                        name.substring(0, parts.start(PARKED)),
                        "workers",
                        workers(Integer.parseInt(parts.group(PARKED_MIN)), Integer.parseInt(parts.group(PARKED_MAX))));
    }

    /** The whole block with other limits: RunPod's own tools send it whole. */
    Map<String, Object> workers(int min, int max) {
        Map<String, Object> workers = new LinkedHashMap<>();
        json.path("workers").properties().forEach(field -> workers.put(field.getKey(), field.getValue()));
        workers.put("min", min);
        workers.put("max", max);
        return workers;
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
                new ResourceRef(RunPodProvider.NAME, EndpointPlanner.KIND, plainName()),
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

    int workersMin() {
        return json.path("workers").path("min").asInt();
    }

    int workersMax() {
        return json.path("workers").path("max").asInt();
    }

    /** Values of its environment that are not of Tuna's or the engine's making. */
    List<Secret> secrets() {
        List<Secret> secrets = new ArrayList<>();
        json.path("env").properties().forEach(variable -> {
            String value = variable.getValue().asText("");
            if (!value.isEmpty() && !EngineContainer.isPlain(variable.getKey())) {
                secrets.add(Secret.of(value));
            }
        });
        return secrets;
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
