package dev.tuna.testkit.baseten;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.Secret;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorRequest;
import java.net.URI;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Baseten's hosts, S3 and Hugging Face on one port, as a function from request to answer. Thread-safe. */
final class BasetenRoutes {

    static final ObjectMapper JSON = JsonMapper.builder().build();

    static final String BUCKET = "/s3/";
    static final String EDGE = "/model-";
    static final String HUB = "/hub";

    private static final Pattern TEAM = Pattern.compile("/v1/teams/([^/]+)/(models|secrets)(/.*)?");
    private static final Pattern TARGET =
            Pattern.compile("/model-([^/]+)/(?:(production)|environments/(production)|deployment/([^/]+))(/.*)");

    private final Workspace workspace;

    BasetenRoutes(Workspace workspace) {
        this.workspace = workspace;
    }

    VendorAnswer handle(VendorRequest request) {
        String path = request.path();
        try {
            if (path.startsWith(BUCKET)) {
                return bucket(request);
            }
            if (path.startsWith(HUB)) {
                return hub(path.substring(HUB.length()));
            }
            if (path.startsWith(EDGE)) {
                return edge(request);
            }
            checkKey(request, false);
            return VendorAnswer.json(200, management(request).toString());
        } catch (Refusal e) {
            return path.startsWith(EDGE) ? edgeError(e) : e.answer();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Refusal(503, "shutting down").answer();
        }
    }

    private void checkKey(VendorRequest request, boolean edge) {
        String header = request.header("Authorization").orElse("");
        boolean bearer = header.startsWith("Bearer ") && (edge ? workspace.builder().edgeBearer : true);
        boolean right =
                (bearer || header.startsWith("Api-Key ")) && isKey(header.substring(header.indexOf(' ') + 1), edge);
        if (!right) {
            throw new Refusal(401, "please check the api-key you provided");
        }
    }

    private boolean isKey(String value, boolean edge) {
        Secret given = Secret.of(value.isEmpty() ? " " : value);
        return given.equals(workspace.builder().key)
                || (edge && workspace.builder().edgeKey.filter(given::equals).isPresent());
    }

    // --- the management API ---

    private JsonNode management(VendorRequest request) {
        String path = request.path();
        Matcher team = TEAM.matcher(path);
        if (team.matches()) {
            if (!team.group(1).equals(workspace.builder().team)) {
                throw Refusal.notFound("Team");
            }
            path = "/v1/" + team.group(2) + Optional.ofNullable(team.group(3)).orElse("");
        }
        String[] parts = path.split("/");
        return switch (request.method() + " " + path) {
            case "GET /v1/users/me" ->
                JSON.createObjectNode()
                        .put("user_id", "usr1")
                        .put("email", "owner@example.com")
                        .put("name", "Owner")
                        .put("workspace_name", "stand-in");
            case "GET /v1/models" -> workspace.modelsJson(request.parameter("name"));
            case "POST /v1/models" -> workspace.create(body(request));
            case "POST /v1/prepare_model_upload" -> workspace.prepare(body(request));
            case "GET /v1/secrets" -> workspace.secretsJson();
            case "POST /v1/secrets" -> workspace.putSecret(body(request));
            case "GET /v1/instance_type_prices" -> Machines.prices();
            default -> {
                if (parts.length == 4
                        && parts[2].equals("secrets")
                        && request.method().equals("DELETE")) {
                    yield workspace.deleteSecret(parts[3]);
                }
                if (parts.length >= 4 && parts[2].equals("models")) {
                    yield workspace.locked(() -> model(request, workspace.model(parts[3]), parts));
                }
                throw Refusal.notFound("Resource");
            }
        };
    }

    private JsonNode model(VendorRequest request, StandInModel model, String[] parts) {
        String rest = String.join("/", java.util.Arrays.copyOfRange(parts, 4, parts.length));
        String method = request.method();
        if (rest.isEmpty()) {
            return method.equals("DELETE") ? workspace.delete(model.id()) : model.json();
        }
        if (rest.equals("deployments")) {
            return method.equals("POST")
                    ? workspace.push(model.id(), body(request))
                    : model.deploymentsJson(workspace::isVisible);
        }
        if (rest.startsWith("environments/production")) {
            return environment(request, model, rest);
        }
        if (parts.length >= 6 && parts[4].equals("deployments")) {
            StandInDeployment deployment = Workspace.deployment(model, parts[5]);
            if (!workspace.isVisible(deployment)) {
                throw Refusal.notFound("Deployment");
            }
            return deployment(request, model, deployment, parts.length > 6 ? parts[6] : "");
        }
        throw Refusal.notFound("Resource");
    }

    private JsonNode environment(VendorRequest request, StandInModel model, String rest) {
        if (workspace.builder().environmentLate
                && model.deployment("production")
                        .filter(StandInDeployment::isUp)
                        .isEmpty()) {
            throw Refusal.notFound("Environment");
        }
        if (rest.endsWith("/promote")) {
            StandInDeployment promoted = Workspace.deployment(
                    model, body(request).path("deployment_id").asText());
            model.promote(promoted);
            return promoted.json(true);
        }
        if (request.method().equals("PATCH")) {
            String status = model.configure(body(request));
            ObjectNode json = JSON.createObjectNode();
            json.set("environment", model.environmentJson());
            return json.put("status", status).put("message", "settings " + status);
        }
        return model.environmentJson();
    }

    private JsonNode deployment(VendorRequest request, StandInModel model, StandInDeployment deployment, String verb) {
        switch (request.method() + " " + verb) {
            case "GET " -> {
                return deployment.json(model.isProduction(deployment));
            }
            case "DELETE " -> {
                return workspace.deleteDeployment(model.id(), deployment.id());
            }
            case "PATCH " -> {
                rename(model, deployment, body(request).path("name").asText(""));
                return deployment.json(model.isProduction(deployment));
            }
            case "POST activate" -> {
                deployment.activate();
                return JSON.createObjectNode().put("success", true);
            }
            case "POST deactivate" -> {
                deployment.deactivate();
                return JSON.createObjectNode().put("success", true);
            }
            case "POST retry" -> {
                boolean retried = deployment.retry();
                ObjectNode json = JSON.createObjectNode().put("retried", retried);
                json.put("reason", retried ? null : "only a failed deployment can be retried");
                json.set("deployment", deployment.json(model.isProduction(deployment)));
                return json;
            }
            case "GET logs" -> {
                return deployment.logJson(
                        request.parameter("limit").map(Integer::parseInt).orElse(500),
                        request.parameter("direction").orElse("asc").equals("desc"));
            }
            default -> throw Refusal.notFound("Resource");
        }
    }

    private static void rename(StandInModel model, StandInDeployment deployment, String name) {
        if (!name.matches("[A-Za-z0-9_.-]{1,255}")
                || model.deployments().stream()
                        .anyMatch(other ->
                                !other.equals(deployment) && other.name().equals(name))) {
            throw Refusal.bad("the name is taken or not allowed");
        }
        deployment.rename(name);
    }

    private static ObjectNode body(VendorRequest request) {
        try {
            if (JSON.readTree(request.body()) instanceof ObjectNode object) {
                return object;
            }
        } catch (JacksonException e) {
            // Told below.
        }
        throw Refusal.bad("the body is not a JSON object");
    }

    // --- what is around it ---

    private VendorAnswer bucket(VendorRequest request) {
        String object = request.path().substring(BUCKET.length());
        int slash = object.indexOf('/');
        if (!request.method().equals("PUT")
                || slash < 0
                || !object.substring(0, slash).equals(Bucket.NAME)) {
            return VendorAnswer.empty(405);
        }
        return workspace.bucket().put(object.substring(slash + 1), request.path(), request);
    }

    private VendorAnswer hub(String path) {
        Long parameters = workspace.builder().hub.get(path.replaceFirst("^/api/models/", ""));
        if (parameters == null) {
            return VendorAnswer.json(404, "{\"error\":\"Repository not found\"}");
        }
        ObjectNode json = JSON.createObjectNode();
        ObjectNode tensors = json.putObject("safetensors");
        tensors.putObject("parameters").put("BF16", parameters);
        tensors.put("total", parameters);
        return VendorAnswer.json(200, json.toString());
    }

    // --- the edge ---

    private VendorAnswer edge(VendorRequest request) throws InterruptedException {
        Matcher target = TARGET.matcher(request.path());
        if (!target.matches()) {
            throw Refusal.notFound("Route");
        }
        checkKey(request, true);
        StandInDeployment deployment = workspace.locked(() -> {
            StandInModel model = workspace.model(target.group(1));
            return Workspace.deployment(
                    model, Optional.ofNullable(target.group(4)).orElse("production"));
        });
        String rest = target.group(5);
        if (deployment.status().equals("INACTIVE")) {
            throw Refusal.notFound("Deployment");
        }
        if (rest.equals("/wake")) {
            deployment.wake();
            return VendorAnswer.empty(202);
        }
        if (rest.equals("/async_queue_status")) {
            return VendorAnswer.json(
                    200,
                    JSON.createObjectNode()
                            .put("model_id", target.group(1))
                            .put("deployment_id", deployment.id())
                            .put("num_queued_requests", 0)
                            .put("num_in_progress_requests", 0)
                            .toString());
        }
        if (!rest.startsWith("/sync/")) {
            throw Refusal.notFound("Route");
        }
        return served(request, deployment, rest.substring("/sync".length()));
    }

    private VendorAnswer served(VendorRequest request, StandInDeployment deployment, String path)
            throws InterruptedException {
        try {
            return deployment
                    .lease(workspace.patience())
                    .map(lease -> relayed(lease, path, request))
                    .orElseGet(() ->
                            edgeError(new Refusal(500, "Model is unhealthy, it is not ready to make predictions")));
        } catch (StandInDeployment.Full e) {
            return edgeError(new Refusal(529, "The model is at capacity"));
        }
    }

    private static VendorAnswer relayed(StandInDeployment.Lease lease, String path, VendorRequest request) {
        String query = request.query().isEmpty() ? "" : "?" + request.query();
        return VendorAnswer.relayed(URI.create(lease.server() + path + query))
                .with("X-Baseten-Request-Id", "req-" + System.nanoTime())
                .whenOver(lease.release());
    }

    private static VendorAnswer edgeError(Refusal refusal) {
        String code = switch (refusal.answer().status()) {
            case 401 -> "unauthorized";
            case 404 -> "model_does_not_exist";
            case 429, 529 -> "rate_limited";
            default -> "model_not_ready";
        };
        return VendorAnswer.json(
                refusal.answer().status(),
                JSON.createObjectNode()
                        .put("error", refusal.getMessage())
                        .put("error_code", code)
                        .toString());
    }
}
