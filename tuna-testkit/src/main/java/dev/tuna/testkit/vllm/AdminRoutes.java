package dev.tuna.testkit.vllm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.List;

/** Scripting a stand-in that runs as a process: {@code /standin/stats} and {@code /standin/faults}. */
final class AdminRoutes {

    private final StandInServer server;

    AdminRoutes(StandInServer server) {
        this.server = server;
    }

    void stats(Exchange exchange) {
        Routes.answer(exchange, Json.MAPPER.valueToTree(server.stats()));
    }

    /** One fault or a list; all are checked before the first is injected. */
    void inject(Exchange exchange) throws ApiError {
        JsonNode body = exchange.body();
        List<Fault> faults = new ArrayList<>();
        if (body.isArray()) {
            for (JsonNode one : body) {
                faults.add(FaultJson.read(one));
            }
        } else {
            faults.add(FaultJson.read(body));
        }
        faults.forEach(server::inject);
        Routes.answer(exchange, JsonNodeFactory.instance.objectNode().put("injected", faults.size()));
    }

    void clear(Exchange exchange) {
        server.clearFaults();
        Routes.answer(exchange, JsonNodeFactory.instance.objectNode().put("cleared", true));
    }
}
