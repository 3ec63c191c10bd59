package dev.tuna.testkit.cloud.process;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.tuna.testkit.cloud.model.CloudJson;
import dev.tuna.testkit.cloud.model.CloudModel;
import dev.tuna.testkit.cloud.model.CloudRefusal;
import dev.tuna.testkit.cloud.model.EndpointRequest;
import dev.tuna.testkit.cloud.model.LaunchRequest;
import dev.tuna.testkit.cloud.model.ScriptStep;
import java.util.List;
import java.util.Map;

/**
 * The cloud's own HTTP API as a function from request to answer. Thread-safe; may block for as long as a machine takes to
 * answer.
 */
final class ControlApi {

    private static final TypeReference<List<String>> IDS = new TypeReference<>() {};

    private final CloudModel cloud;

    ControlApi(CloudModel cloud) {
        this.cloud = cloud;
    }

    /**
     * An answer.
     *
     * @param status HTTP status
     * @param json the body; empty for none
     */
    record Answer(int status, String json) {

        static Answer ok(Object value) {
            return new Answer(200, CloudJson.write(value));
        }

        static Answer refusal(CloudRefusal refusal) {
            return new Answer(
                    refusal.status(), CloudJson.write(Map.of("code", refusal.code(), "message", refusal.getMessage())));
        }

        private static final Answer DONE = new Answer(204, "");
    }

    Answer handle(String method, String path, String body) {
        try {
            return route(method, path, body);
        } catch (CloudRefusal e) {
            return Answer.refusal(e);
        } catch (IllegalArgumentException e) {
            return Answer.refusal(new CloudRefusal(400, "bad_request", String.valueOf(e.getMessage()), false));
        }
    }

    private Answer route(String method, String path, String body) {
        int last = path.lastIndexOf('/');
        String id = path.substring(last + 1);
        return switch (method + " " + path) {
            case "GET /" -> Answer.ok(Map.of("cloud", "tuna-local", "api", 1));
            case "GET /v1/state" -> Answer.ok(cloud.snapshot());
            case "POST /v1/script" -> {
                CloudJson.read(body, ScriptStep.class).applyTo(cloud);
                yield Answer.DONE;
            }
            case "GET /v1/serverless-prices" -> Answer.ok(cloud.serverlessPrices());
            case "GET /v1/endpoints" -> Answer.ok(cloud.endpoints());
            case "GET /v1/pools" -> Answer.ok(cloud.pools());
            case "GET /v1/replicas" -> Answer.ok(cloud.replicas());
            case "POST /v1/replicas" -> Answer.ok(cloud.launch(CloudJson.read(body, LaunchRequest.class)));
            case "POST /v1/replicas/observe" -> Answer.ok(cloud.observe(CloudJson.read(body, IDS)));
            default ->
                switch (method + " " + path.substring(0, last + 1)) {
                    case "GET /v1/endpoints/" -> endpoint(id);
                    case "PUT /v1/endpoints/" -> put(id, CloudJson.read(body, EndpointRequest.class));
                    case "DELETE /v1/endpoints/" -> {
                        cloud.deleteEndpoint(id);
                        yield Answer.DONE;
                    }
                    case "DELETE /v1/replicas/" -> {
                        cloud.terminate(id);
                        yield Answer.DONE;
                    }
                    default -> throw new CloudRefusal(404, "no_such_call", "no call " + method + " " + path, false);
                };
        };
    }

    private Answer endpoint(String name) {
        return cloud.endpoint(name)
                .map(Answer::ok)
                .orElseThrow(() -> new CloudRefusal(404, "not_found", "no endpoint '" + name + "'", false));
    }

    private Answer put(String name, EndpointRequest request) {
        if (!name.equals(request.name())) {
            throw new CloudRefusal(
                    400, "bad_request", "path names endpoint '" + name + "', body '" + request.name() + "'", false);
        }
        return Answer.ok(cloud.putEndpoint(request));
    }
}
