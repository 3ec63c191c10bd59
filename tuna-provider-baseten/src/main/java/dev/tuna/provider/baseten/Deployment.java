package dev.tuna.provider.baseten;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.ResourceRef;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Comparator;
import java.util.Optional;
import java.util.Set;

/**
 * A deployment of a model as Baseten tells of it. Immutable but for the JSON, which nobody changes.
 *
 * @param id Baseten's id
 * @param status one of Baseten's words, or one that it has added since
 * @param createdAt when it was pushed
 * @param json the whole answer
 */
record Deployment(String id, String status, Instant createdAt, JsonNode json) {

    static final Comparator<Deployment> OLDEST_FIRST =
            Comparator.comparing(Deployment::createdAt).thenComparing(Deployment::id);

    /** What the name of a deployment begins with that Tuna deactivated. */
    static final String PARKED = "tuna-parked-";

    /** And that of one that it activated again. */
    static final String UNPARKED = "tuna-";

    private static final Set<String> SERVING = Set.of("ACTIVE", "SCALED_TO_ZERO", "WAKING_UP");
    private static final Set<String> FAILED = Set.of("BUILD_FAILED", "BUILD_STOPPED", "DEPLOY_FAILED", "FAILED");
    private static final Set<String> STOPPED = Set.of("INACTIVE", "DEACTIVATING");

    static Deployment of(JsonNode json) {
        return new Deployment(
                json.path("id").asText(), json.path("status").asText(""), instant(json.path("created_at")), json);
    }

    /** A time as Baseten writes it, with {@code Z} or an offset, or none for UTC. */
    static Instant instant(JsonNode time) {
        String text = time.asText("");
        try {
            return OffsetDateTime.parse(text.matches(".*(Z|[+-]\\d\\d:?\\d\\d)") ? text : text + "Z")
                    .toInstant();
        } catch (DateTimeException e) {
            return Instant.MAX;
        }
    }

    /** Whether it answers requests, be it after it has been woken. */
    boolean isServing() {
        return SERVING.contains(status);
    }

    boolean isUpdating() {
        return status.equals("UPDATING");
    }

    boolean isUnhealthy() {
        return status.equals("UNHEALTHY");
    }

    boolean isFailed() {
        return FAILED.contains(status);
    }

    /** Deactivated by somebody, or given up by Baseten because it found no machine. */
    boolean isStopped() {
        return STOPPED.contains(status);
    }

    /** Whether environment {@code production} sends its requests here. */
    boolean isProduction() {
        return json.path("is_production").asBoolean();
    }

    boolean isParked() {
        return json.path("name").asText("").startsWith(PARKED);
    }

    String modelId() {
        return json.path("model_id").asText();
    }

    int replicas() {
        return json.path("active_replica_count").asInt();
    }

    String instanceType() {
        return json.path("instance_type_name").asText("");
    }

    Optional<String> label(String name) {
        return Optional.of(json.path("labels").path(name).asText("")).filter(value -> !value.isEmpty());
    }

    /** A label with a number of seconds. */
    Optional<Duration> seconds(String name) {
        return label(name)
                .filter(value -> value.matches("\\d{1,8}"))
                .map(value -> Duration.ofSeconds(Long.parseLong(value)));
    }

    boolean isOfPlan(String fingerprint) {
        return label(Labels.PLAN).filter(fingerprint::equals).isPresent();
    }

    boolean isOurs() {
        return label(Labels.OWNER).isPresent();
    }

    /** The model that it belongs to as something that Tuna made; empty if nobody says so. */
    Optional<FoundResource> found(Model model) {
        return label(Labels.OWNER)
                .flatMap(owner -> label(Labels.DEPLOYMENT)
                        .map(deployment -> new FoundResource(
                                new ResourceRef(BasetenProvider.NAME, ModelPlanner.KIND, model.name()),
                                owner,
                                deployment,
                                Optional.of(model.createdAt()).filter(Instant.MAX::isAfter))));
    }

    /** Id and status only: the answer may hold what a user calls confidential. */
    @Override
    public String toString() {
        return "Deployment[" + id + ", " + status + "]";
    }
}
