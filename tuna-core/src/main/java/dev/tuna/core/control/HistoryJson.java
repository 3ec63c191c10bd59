package dev.tuna.core.control;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.Tier;
import dev.tuna.core.placement.PoolHistory;
import dev.tuna.core.placement.PoolHistory.Past;
import dev.tuna.core.placement.PoolHistory.PoolClass;
import dev.tuna.spi.CapacityPool;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/** What became of replicas in which pool, as the store keeps it. Of a record without it nothing is known. Pure. */
final class HistoryJson {

    /** Nothing rests longer; what says so was written by a clock that has been set back since. */
    private static final Duration LONGEST_REST = Duration.ofHours(1);

    private HistoryJson() {}

    static ObjectNode write(PoolHistory history) {
        ObjectNode json = PlanJson.MAPPER.createObjectNode();
        ArrayNode pools = json.putArray("pools");
        history.pools()
                .forEach((pool, past) -> pools.addObject()
                        .put("shortages", past.shortages())
                        .put("restsUntil", past.restsUntil().toString())
                        .put("lostAt", past.lostAt().toString())
                        .put("riskAt", past.riskAt().toString())
                        .put("losses", past.losses())
                        .put("hours", past.hours())
                        .put("asOf", past.asOf().toString())
                        .set("pool", PlanJson.pool(pool)));
        ArrayNode barred = json.putArray("barred");
        history.barred()
                .forEach((which, until) -> barred.addObject()
                        .put("provider", which.provider())
                        .put("region", which.region())
                        .put("machineType", which.machineType())
                        .put("tier", which.tier().name())
                        .put("until", until.toString()));
        return json;
    }

    static PoolHistory read(JsonNode json, Instant now) {
        Map<CapacityPool, Past> pools = new HashMap<>();
        json.path("pools")
                .forEach(each -> pools.put(
                        PlanJson.pool(each.path("pool")),
                        new Past(
                                each.path("shortages").asInt(),
                                rest(each.path("restsUntil"), now),
                                past(each.path("lostAt"), now),
                                each.has("riskAt") ? past(each.path("riskAt"), now) : Instant.MIN,
                                each.path("losses").asDouble(),
                                each.path("hours").asDouble(),
                                past(each.path("asOf"), now))));
        Map<PoolClass, Instant> barred = new HashMap<>();
        json.path("barred")
                .forEach(each -> barred.put(
                        new PoolClass(
                                each.path("provider").asText(),
                                each.path("region").asText(),
                                each.path("machineType").asText(),
                                Tier.valueOf(each.path("tier").asText())),
                        rest(each.path("until"), now)));
        return new PoolHistory(pools, barred);
    }

    private static Instant rest(JsonNode json, Instant now) {
        Instant until = Instant.parse(json.asText());
        return until.isAfter(now.plus(LONGEST_REST)) ? now : until;
    }

    private static Instant past(JsonNode json, Instant now) {
        Instant at = Instant.parse(json.asText());
        return at.isAfter(now) ? now : at;
    }
}
