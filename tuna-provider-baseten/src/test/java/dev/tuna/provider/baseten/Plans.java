package dev.tuna.provider.baseten;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.spi.ServerlessPlan;
import java.util.Map;

/** Plans without a cloud. */
final class Plans {

    static final String OWNER = "own123456789";

    private Plans() {}

    static ServerlessPlan of(Specs specs) {
        return ModelPlanner.plan(
                specs.spec(), BasetenOptions.of(Map.of(), specs.options()), InstanceCatalog.BUILT_IN, OWNER);
    }

    static JsonNode body(Specs specs) {
        try {
            return ModelPlan.JSON.readTree(of(specs).body());
        } catch (JacksonException e) {
            throw new AssertionError(e);
        }
    }

    static JsonNode config(Specs specs) {
        return body(specs).path("deployment").path("config");
    }
}
