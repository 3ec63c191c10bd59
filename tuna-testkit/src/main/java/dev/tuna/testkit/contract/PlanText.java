package dev.tuna.testkit.contract;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessPlan;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Sends a plan through text, as a store does. */
final class PlanText {

    private static final ObjectMapper JSON = new ObjectMapper();

    private PlanText() {}

    static LaunchPlan storedAndReadBack(LaunchPlan plan) {
        try {
            return JSON.readValue(JSON.writeValueAsString(plan), LaunchPlan.class);
        } catch (JsonProcessingException e) {
            throw new AssertionError("a plan cannot be stored as text", e);
        }
    }

    static ServerlessPlan storedAndReadBack(ServerlessPlan plan) {
        try {
            ObjectNode out = JSON.createObjectNode()
                    .put("deployment", plan.deployment())
                    .put("summary", plan.summary())
                    .put("body", plan.body());
            out.set("resource", JSON.valueToTree(plan.resource()));
            out.set("adaptations", JSON.valueToTree(plan.adaptations()));
            plan.idleWindow().ifPresent(window -> out.put("idleWindow", window.toString()));
            var in = JSON.readTree(out.toString());
            return new ServerlessPlan(
                    in.path("deployment").asText(),
                    JSON.treeToValue(in.path("resource"), ResourceRef.class),
                    in.path("summary").asText(),
                    in.path("body").asText(),
                    List.of(JSON.treeToValue(in.path("adaptations"), String[].class)),
                    Optional.ofNullable(in.path("idleWindow").textValue()).map(Duration::parse));
        } catch (JsonProcessingException e) {
            throw new AssertionError("a plan cannot be stored as text", e);
        }
    }
}
