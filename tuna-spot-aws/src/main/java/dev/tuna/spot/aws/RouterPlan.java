package dev.tuna.spot.aws;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Tier;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The body of a plan for a router's machine: the requests that are sent, in AWS's own words, with {@link Blanks}, and what the
 * machine boots with. Immutable.
 *
 * @param step where, and the requests CreateSecurityGroup, AuthorizeSecurityGroupIngress and RunInstances
 * @param jar where its jar is now
 * @param sha256 the jar's checksum
 * @param bucket by which it gets a jar that is a file
 * @param agentPort where its agent listens
 * @param clientPort where clients connect
 * @param orphanTimeoutSeconds see {@link dev.tuna.spi.RouterVmSpec}
 */
record RouterPlan(
        FleetPlan.Step step,
        String jar,
        String sha256,
        Optional<String> bucket,
        int agentPort,
        int clientPort,
        long orphanTimeoutSeconds) {

    static final String RUN = "RunInstances";

    private static final List<String> CALLS = List.of(FleetPlanner.CREATE_GROUP, FleetPlanner.OPEN_GROUP, RUN);

    RouterPlan {
        Objects.requireNonNull(step, "step");
        Objects.requireNonNull(jar, "jar");
        Objects.requireNonNull(sha256, "sha256");
        Objects.requireNonNull(bucket, "bucket");
    }

    String region() {
        return step.region();
    }

    String write() {
        ObjectNode plan = SdkJson.JSON
                .createObjectNode()
                .put("region", step.region())
                .put("image", step.image().get(0))
                .put("vpc", step.vpc());
        step.subnets().forEach(plan.putArray("subnets")::add);
        plan.put("jar", jar)
                .put("sha256", sha256)
                .put("bucket", bucket.orElse(""))
                .put("agentPort", agentPort)
                .put("clientPort", clientPort)
                .put("orphanTimeoutSeconds", orphanTimeoutSeconds);
        ObjectNode requests = plan.putObject("requests");
        CALLS.forEach(call -> requests.set(call, step.request(call)));
        return plan.toPrettyString();
    }

    /**
     * Reads a body, which may come from a store.
     *
     * @throws ConfigurationException if it is none
     */
    static RouterPlan read(String body) {
        JsonNode plan;
        try {
            plan = SdkJson.JSON.readTree(body);
        } catch (JsonProcessingException e) {
            throw notOurs(e);
        }
        Map<String, JsonNode> requests = plan.path("requests").properties().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
        if (!requests.keySet().containsAll(CALLS)) {
            throw notOurs(null);
        }
        return new RouterPlan(
                new FleetPlan.Step(
                        plan.path("region").asText(),
                        Tier.ON_DEMAND,
                        List.of(plan.path("image").asText()),
                        plan.path("vpc").asText(),
                        plan.path("subnets").valueStream().map(JsonNode::asText).toList(),
                        requests),
                plan.path("jar").asText(),
                plan.path("sha256").asText(),
                Optional.of(plan.path("bucket").asText()).filter(bucket -> !bucket.isEmpty()),
                plan.path("agentPort").asInt(),
                plan.path("clientPort").asInt(),
                plan.path("orphanTimeoutSeconds").asLong());
    }

    private static ConfigurationException notOurs(@Nullable Throwable cause) {
        return new ConfigurationException(
                ErrorCode.INVALID_REQUEST, "the plan is not one of provider aws for a router VM; plan again", cause);
    }
}
