package dev.tuna.provider.baseten;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Optional;

/** What environment {@code production} is to be set to, and whether it is. Pure. */
final class EnvironmentSettings {

    private static final String AUTOSCALING = "autoscaling_settings";
    private static final String BACKPRESSURE = "request_backpressure_settings";
    private static final String POLICY = "policy";
    private static final String QUEUE = "QUEUE_ON_FULL";

    /** With which a model is left that nobody has configured: one replica, full with one request. */
    private static final Map<String, Integer> UNTOUCHED = Map.of("max_replica", 1, "concurrency_target", 1);

    private EnvironmentSettings() {}

    /** What was planned with a deployment; empty if it does not say. */
    static Optional<JsonNode> planned(Deployment deployment) {
        return deployment.label(Labels.SETTINGS).flatMap(text -> {
            try {
                return Optional.of(ModelPlan.JSON.readTree(text)).filter(JsonNode::isObject);
            } catch (JacksonException e) {
                return Optional.empty();
            }
        });
    }

    /** Whether an environment or a deployment, which have the same fields, is as wanted. */
    static boolean match(JsonNode is, JsonNode wanted) {
        for (Map.Entry<String, JsonNode> field : wanted.path(AUTOSCALING).properties()) {
            if (is.path(AUTOSCALING).path(field.getKey()).asLong(-1)
                    != field.getValue().asLong()) {
                return false;
            }
        }
        return policy(is).equals(policy(wanted));
    }

    /** No policy means that requests queue. */
    private static String policy(JsonNode settings) {
        JsonNode policy = settings.path(BACKPRESSURE).path(POLICY);
        return policy.isTextual() ? policy.asText() : QUEUE;
    }

    static boolean isUntouched(JsonNode is) {
        return UNTOUCHED.entrySet().stream()
                .allMatch(field -> is.path(AUTOSCALING).path(field.getKey()).asInt(-1) == field.getValue());
    }

    /** Requests that a model as configured can take at once; 0 if that is not known. */
    static int capacity(JsonNode is) {
        JsonNode scaling = is.path(AUTOSCALING);
        return scaling.path("concurrency_target").asInt()
                * scaling.path("max_replica").asInt();
    }
}
