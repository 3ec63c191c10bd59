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
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The body of a launch plan: the requests that are sent, in AWS's own words. What is only known when they are sent stands as
 * <code>${…}</code>, see {@link Blanks}. Immutable.
 *
 * @param bootText what machines boot with
 * @param steps one fleet for each market of each region, in the order in which they are asked; the first that has a machine
 *     ends it
 */
record FleetPlan(String bootText, List<Step> steps) {

    FleetPlan {
        Objects.requireNonNull(bootText, "bootText");
        steps = List.copyOf(steps);
    }

    /**
     * One fleet, and what it needs.
     *
     * @param region where
     * @param tier which market
     * @param image ids or parameters of images, tried in this order
     * @param vpc the network that was asked for; empty for the default one
     * @param subnets the subnets that were asked for; empty for all
     * @param requests bodies by the name of the call: CreateSecurityGroup, AuthorizeSecurityGroupIngress,
     *     CreateLaunchTemplate, CreateLaunchTemplateVersion, CreateFleet
     */
    record Step(
            String region,
            Tier tier,
            List<String> image,
            String vpc,
            List<String> subnets,
            Map<String, JsonNode> requests) {

        Step {
            Objects.requireNonNull(region, "region");
            Objects.requireNonNull(tier, "tier");
            image = List.copyOf(image);
            Objects.requireNonNull(vpc, "vpc");
            subnets = List.copyOf(subnets);
            requests = Map.copyOf(requests);
        }

        JsonNode request(String call) {
            JsonNode body = requests.get(call);
            if (body == null) {
                throw notOurs("it has no " + call, null);
            }
            return body;
        }
    }

    String write() {
        ObjectNode plan = SdkJson.JSON.createObjectNode();
        var list = plan.putArray("steps");
        for (Step step : steps) {
            ObjectNode written = list.addObject()
                    .put("region", step.region())
                    .put("market", step.tier().name());
            step.image().forEach(written.putArray("image")::add);
            written.put("vpc", step.vpc());
            step.subnets().forEach(written.putArray("subnets")::add);
            ObjectNode requests = written.putObject("requests");
            FleetPlanner.CALLS.forEach(call -> requests.set(call, step.request(call)));
        }
        return plan.put("bootText", bootText).toPrettyString();
    }

    /**
     * Reads a body, which may come from a store.
     *
     * @throws ConfigurationException if it is none
     */
    static FleetPlan read(String body) {
        try {
            JsonNode plan = SdkJson.JSON.readTree(body);
            if (!plan.path("steps").isArray() || plan.path("steps").isEmpty()) {
                throw notOurs("it has no steps", null);
            }
            return new FleetPlan(
                    plan.path("bootText").asText(),
                    plan.path("steps").valueStream().map(FleetPlan::step).toList());
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw notOurs(String.valueOf(e.getMessage()), e);
        }
    }

    private static Step step(JsonNode step) {
        return new Step(
                step.path("region").asText(),
                Tier.valueOf(step.path("market").asText()),
                texts(step.path("image")),
                step.path("vpc").asText(),
                texts(step.path("subnets")),
                step.path("requests").properties().stream()
                        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)));
    }

    private static List<String> texts(JsonNode list) {
        return list.valueStream().map(JsonNode::asText).toList();
    }

    private static ConfigurationException notOurs(String why, @Nullable Throwable cause) {
        return new ConfigurationException(
                ErrorCode.INVALID_REQUEST, "the plan is not one of provider aws: " + why + "; plan again", cause);
    }
}
