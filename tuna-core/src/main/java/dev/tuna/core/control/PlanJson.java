package dev.tuna.core.control;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.api.Tier;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessPlan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Plans as the store keeps them: what is written reads back equal, so that a retry after a crash sends the same. Pure. */
final class PlanJson {

    static final JsonMapper MAPPER = new JsonMapper();

    private PlanJson() {}

    static String write(ServerlessPlan plan) {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("deployment", plan.deployment());
        json.set("resource", ref(plan.resource()));
        json.put("summary", plan.summary());
        json.put("body", plan.body());
        ArrayNode adaptations = json.putArray("adaptations");
        plan.adaptations().forEach(adaptations::add);
        plan.idleWindow().ifPresent(window -> json.put("idleWindow", window.toString()));
        return json.toString();
    }

    static ServerlessPlan serverless(String text) {
        JsonNode json = read(text, "serverless plan");
        List<String> adaptations = new ArrayList<>();
        json.path("adaptations").forEach(each -> adaptations.add(each.asText()));
        return new ServerlessPlan(
                json.path("deployment").asText(),
                ref(json.path("resource")),
                json.path("summary").asText(),
                json.path("body").asText(),
                adaptations,
                idleWindow(json));
    }

    /** Of a plan that may be unknown, as that of an endpoint is that was not made here. */
    static Optional<Duration> idleWindow(String text) {
        return idleWindow(read(text, "serverless plan"));
    }

    private static Optional<Duration> idleWindow(JsonNode plan) {
        return Optional.ofNullable(plan.path("idleWindow").textValue()).map(Duration::parse);
    }

    static String write(LaunchPlan plan) {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("deployment", plan.deployment());
        json.put("token", plan.token());
        ArrayNode pools = json.putArray("pools");
        plan.pools().forEach(pool -> pools.add(pool(pool)));
        json.put("summary", plan.summary());
        json.put("body", plan.body());
        return json.toString();
    }

    static LaunchPlan launch(String text) {
        JsonNode json = read(text, "launch plan");
        List<CapacityPool> pools = new ArrayList<>();
        json.path("pools").forEach(each -> pools.add(pool(each)));
        return new LaunchPlan(
                json.path("deployment").asText(),
                json.path("token").asText(),
                pools,
                json.path("summary").asText(),
                json.path("body").asText());
    }

    static ObjectNode pool(CapacityPool pool) {
        return MAPPER.createObjectNode()
                .put("provider", pool.provider())
                .put("region", pool.region())
                .put("zone", pool.zone())
                .put("machineType", pool.machineType())
                .put("tier", pool.tier().name());
    }

    static CapacityPool pool(JsonNode json) {
        return new CapacityPool(
                json.path("provider").asText(),
                json.path("region").asText(),
                json.path("zone").asText(),
                json.path("machineType").asText(),
                Tier.valueOf(json.path("tier").asText()));
    }

    static JsonNode read(String text, String what) {
        try {
            return MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            throw new StoreException(ErrorCode.STORE_CORRUPT, what + " in the store is not JSON", e);
        }
    }

    private static ObjectNode ref(ResourceRef ref) {
        return MAPPER.createObjectNode()
                .put("provider", ref.provider())
                .put("kind", ref.kind())
                .put("id", ref.id());
    }

    private static ResourceRef ref(JsonNode json) {
        return new ResourceRef(
                json.path("provider").asText(),
                json.path("kind").asText(),
                json.path("id").asText());
    }
}
