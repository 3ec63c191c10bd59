package dev.tuna.provider.baseten;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What environment {@code production} is to be set to. Times are in seconds. Immutable.
 *
 * @param minReplica replicas kept without traffic
 * @param maxReplica replicas never exceeded
 * @param concurrency requests that one replica takes at once
 * @param utilization percent of the concurrency at which another one is added
 * @param window over which time traffic is averaged
 * @param delay after which a replica that is not needed goes
 * @param reject whether requests without a free place fail instead of waiting
 */
record EnvironmentSettings(
        int minReplica, int maxReplica, int concurrency, int utilization, int window, int delay, boolean reject) {

    private static final String AUTOSCALING = "autoscaling_settings";
    private static final String BACKPRESSURE = "request_backpressure_settings";
    private static final String POLICY = "policy";
    private static final String QUEUE = "QUEUE_ON_FULL";
    private static final String REJECT = "REJECT_ON_FULL";

    /** With which a model is left that nobody has configured: one replica, full with one request. */
    private static final Map<String, Integer> UNTOUCHED = Map.of("max_replica", 1, "concurrency_target", 1);

    /** Short and plain: what a label may hold is not described. */
    private static final Pattern LABEL = Pattern.compile(
            "(\\d{1,6})\\.(\\d{1,6})\\.(\\d{1,6})\\.(\\d{1,6})\\.(\\d{1,6})\\.(\\d{1,6})\\.(queue|reject)");

    /** What an environment is sent. */
    ObjectNode json() {
        ObjectNode settings = ModelPlan.JSON.createObjectNode();
        settings.putObject(AUTOSCALING)
                .put("min_replica", minReplica)
                .put("max_replica", maxReplica)
                .put("concurrency_target", concurrency)
                .put("target_utilization_percentage", utilization)
                .put("autoscaling_window", window)
                .put("scale_down_delay", delay);
        settings.putObject(BACKPRESSURE).put(POLICY, reject ? REJECT : QUEUE);
        return settings;
    }

    String label() {
        return minReplica + "." + maxReplica + "." + concurrency + "." + utilization + "." + window + "." + delay + "."
                + (reject ? "reject" : "queue");
    }

    /** What was planned with a deployment; empty if it does not say. */
    static Optional<EnvironmentSettings> planned(Deployment deployment) {
        return deployment
                .label(Labels.SETTINGS)
                .map(LABEL::matcher)
                .filter(Matcher::matches)
                .map(parts -> new EnvironmentSettings(
                        number(parts, 1),
                        number(parts, 2),
                        number(parts, 3),
                        number(parts, 4),
                        number(parts, 5),
                        number(parts, 6),
                        parts.group(7).equals("reject")));
    }

    private static int number(Matcher parts, int group) {
        return Integer.parseInt(parts.group(group));
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

    /** Whether a deployment has settings; it has none before it is deployed. */
    static boolean isThere(JsonNode is) {
        return is.path(AUTOSCALING).isObject();
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
