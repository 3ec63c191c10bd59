package dev.tuna.provider.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.Secret;
import dev.tuna.provider.support.vllm.VllmCommand;
import dev.tuna.spi.FoundResource;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A service as Cloud Run tells of it. The answer holds the environment in clear text, so no text form shows it. Immutable.
 *
 * @param json the whole answer
 */
record Service(JsonNode json) {

    /** Labels: whose it is, and for which deployment. */
    static final String OWNER = "tuna-owner";

    static final String DEPLOYMENT = "tuna-deployment";

    /** Annotations: what it was made from, whom it is called as, and the plan that could not be brought up. */
    static final String PLAN = "tuna-plan";

    static final String INVOKER = "tuna-invoker";
    static final String FAILED_PLAN = "tuna-failed-plan";

    /** Annotation of a revision: what guards it. */
    static final String ACCESS = "tuna-access";

    static final String IAM = "iam";
    static final String ENGINE_KEY = "engine-key";

    /** The step that Cloud Run has reached. */
    enum State {
        /** It serves what it was last told to. */
        READY,
        /** What it was last told to serve cannot come up. */
        FAILED,
        /** It is on the way. */
        PENDING
    }

    String name() {
        return text("name");
    }

    Optional<FoundResource> found() {
        String owner = json.path("labels").path(OWNER).asText("");
        String deployment = json.path("labels").path(DEPLOYMENT).asText("");
        if (owner.isEmpty() || deployment.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new FoundResource(Place.of(name()).resource(), owner, deployment, createdAt()));
    }

    boolean isOwnedBy(String owner) {
        return json.path("labels").path(OWNER).asText("").equals(owner);
    }

    private Optional<Instant> createdAt() {
        try {
            return Optional.of(Instant.parse(text("createTime")));
        } catch (DateTimeParseException e) {
            return Optional.empty();
        }
    }

    boolean isBeingDeleted() {
        return !text("deleteTime").isEmpty();
    }

    /** While Cloud Run works on it, what it says of conditions is of an earlier time. */
    State state() {
        boolean seen = text("observedGeneration").equals(text("generation"));
        if (json.path("reconciling").asBoolean() || !seen) {
            return State.PENDING;
        }
        JsonNode condition = json.path("terminalCondition");
        return switch (condition.path("state").asText("")) {
            case "CONDITION_SUCCEEDED" -> State.READY;
            case "CONDITION_FAILED" -> isPassing(condition) ? State.PENDING : State.FAILED;
            default -> State.PENDING;
        };
    }

    private static boolean isPassing(JsonNode condition) {
        return switch (condition.path("reason").asText("")) {
            case "WAITING_FOR_OPERATION", "IMMEDIATE_RETRY", "POSTPONED_RETRY" -> true;
            default -> false;
        };
    }

    /** Why it is not ready, as Cloud Run says; may be empty. */
    String message() {
        return json.path("terminalCondition").path("message").asText("");
    }

    /** The short name of the revision that serves; empty if none ever did. */
    String readyRevision() {
        return shortName(text("latestReadyRevision"));
    }

    String createdRevision() {
        return shortName(text("latestCreatedRevision"));
    }

    private static String shortName(String revision) {
        return revision.substring(revision.lastIndexOf('/') + 1);
    }

    String annotation(String key) {
        return json.path("annotations").path(key).asText("");
    }

    /** What guards the revision that was asked for last. */
    boolean wantsEngineKey() {
        return template().path("annotations").path(ACCESS).asText("").equals(ENGINE_KEY);
    }

    boolean isOpenToAll() {
        return json.path("invokerIamDisabled").asBoolean();
    }

    String etag() {
        return text("etag");
    }

    JsonNode template() {
        return json.path("template");
    }

    /** The key that the engine demands, if it was given one in clear. */
    Optional<Secret> engineKey() {
        return variable(VllmCommand.API_KEY_VARIABLE);
    }

    /** Every value of its environment. */
    List<Secret> values() {
        List<Secret> values = new ArrayList<>();
        for (JsonNode variable : template().path("containers").path(0).path("env")) {
            String value = variable.path("value").asText("");
            if (!value.isEmpty()) {
                values.add(Secret.of(value));
            }
        }
        return values;
    }

    /** Whether it may have no instances: zero of them, asked for by hand, is not written out. */
    boolean isParked() {
        JsonNode scaling = json.path("scaling");
        return scaling.path("scalingMode").asText("").equals("MANUAL")
                && scaling.path("manualInstanceCount").asInt() == 0;
    }

    private Optional<Secret> variable(String name) {
        for (JsonNode variable : template().path("containers").path(0).path("env")) {
            String value = variable.path("value").asText("");
            if (variable.path("name").asText().equals(name) && !value.isEmpty()) {
                return Optional.of(Secret.of(value));
            }
        }
        return Optional.empty();
    }

    /** Whether it was made from a plan, and has the values that the plan's secrets have now. */
    boolean isFrom(String digest, Map<String, Secret> secrets) {
        return annotation(PLAN).equals(digest)
                && secrets.entrySet().stream()
                        .allMatch(entry -> variable(entry.getKey())
                                .filter(entry.getValue()::equals)
                                .isPresent());
    }

    /** Where it takes requests: scheme and host only, which is also what ID tokens must be made out to. */
    Optional<URI> uri() {
        return Optional.of(text("uri")).filter(uri -> !uri.isEmpty()).map(URI::create);
    }

    Optional<Duration> timeout() {
        String text = template().path("timeout").asText("");
        return text.matches("\\d{1,6}s")
                ? Optional.of(Duration.ofSeconds(Integer.parseInt(text.substring(0, text.length() - 1))))
                : Optional.empty();
    }

    int maxInstances() {
        return template().path("scaling").path("maxInstanceCount").asInt();
    }

    int minInstances() {
        return template().path("scaling").path("minInstanceCount").asInt();
    }

    int concurrency() {
        return template().path("maxInstanceRequestConcurrency").asInt();
    }

    private String text(String field) {
        return json.path(field).asText("");
    }

    @Override
    public String toString() {
        return "Service[" + name() + "]";
    }
}
