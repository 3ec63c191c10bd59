package dev.tuna.testkit.baseten;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/** One workspace with its models and secrets. Thread-safe: everything in it shares one lock. */
final class Workspace {

    private final BasetenStandIn.Builder builder;
    private final Bucket bucket = new Bucket();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // All guarded by lock:
    private final Map<String, StandInModel> models = new LinkedHashMap<>();
    private final Map<String, String> secrets = new LinkedHashMap<>();
    private final Map<String, Map<String, String>> environments = new LinkedHashMap<>();
    private int made;

    Workspace(BasetenStandIn.Builder builder) {
        this.builder = builder;
    }

    ReentrantLock lock() {
        return lock;
    }

    Condition changed() {
        return changed;
    }

    BasetenStandIn.Builder builder() {
        return builder;
    }

    Bucket bucket() {
        return bucket;
    }

    <T> T locked(Supplier<T> work) {
        lock.lock();
        try {
            return work.get();
        } finally {
            lock.unlock();
        }
    }

    // --- secrets ---

    Optional<String> secret(String name) {
        return locked(() -> Optional.ofNullable(secrets.get(name)));
    }

    List<String> secretNames() {
        return locked(() -> List.copyOf(secrets.keySet()));
    }

    ObjectNode putSecret(JsonNode body) {
        String name = body.path("name").asText("");
        if (name.isEmpty() || body.path("value").asText("").isEmpty()) {
            throw Refusal.bad("name and value are required");
        }
        return locked(() -> {
            secrets.put(name, body.path("value").asText());
            return secretJson(name);
        });
    }

    ObjectNode deleteSecret(String name) {
        return locked(() -> {
            if (secrets.remove(name) == null) {
                throw Refusal.notFound("Secret");
            }
            return BasetenRoutes.JSON.createObjectNode().put("name", name);
        });
    }

    ObjectNode secretsJson() {
        return locked(() -> {
            ObjectNode json = BasetenRoutes.JSON.createObjectNode();
            ArrayNode listed = json.putArray("secrets");
            secrets.keySet().forEach(name -> listed.add(secretJson(name)));
            return json;
        });
    }

    private static ObjectNode secretJson(String name) {
        return BasetenRoutes.JSON
                .createObjectNode()
                .put("id", "sec" + Integer.toHexString(name.hashCode()))
                .put("created_at", Instant.EPOCH.toString())
                .put("name", name)
                .put("team_name", "default");
    }

    // --- what deployments ask ---

    boolean isGated(String source) {
        return builder.gated.stream().anyMatch(model -> source.startsWith("hf://" + model));
    }

    ObjectNode untouched() {
        return BasetenRoutes.JSON
                .createObjectNode()
                .put("min_replica", 0)
                .put("max_replica", 1)
                .put("autoscaling_window", 60)
                .put("scale_down_delay", 900)
                .put("concurrency_target", 1)
                .put("target_utilization_percentage", 70)
                .putNull("target_in_flight_tokens")
                .put("max_scale_down_rate", 50);
    }

    void deployed(String modelId, StandInDeployment deployment) {
        locked(() -> {
            Optional.ofNullable(models.get(modelId)).ifPresent(model -> model.deployed(deployment));
            return modelId;
        });
    }

    void started(String deploymentId, Map<String, String> environment) {
        locked(() -> environments.put(deploymentId, environment));
    }

    /** What the last replica of a deployment had in its environment. */
    Map<String, String> environment(String deploymentId) {
        return locked(() -> environments.getOrDefault(deploymentId, Map.of()));
    }

    // --- models ---

    List<StandInModel> models() {
        return locked(() -> List.copyOf(models.values()));
    }

    Optional<StandInModel> named(String name) {
        return models().stream().filter(model -> model.name().equals(name)).findFirst();
    }

    StandInModel model(String id) {
        return locked(() -> Optional.ofNullable(models.get(id)).orElseThrow(() -> Refusal.notFound("Model")));
    }

    ObjectNode modelsJson(Optional<String> name) {
        return locked(() -> {
            ObjectNode json = BasetenRoutes.JSON.createObjectNode();
            ArrayNode listed = json.putArray("models");
            models.values().stream()
                    .filter(model -> name.map(model.name()::equals).orElse(true))
                    .forEach(model -> listed.add(model.json()));
            return json;
        });
    }

    boolean isVisible(StandInDeployment deployment) {
        return !Instant.now().isBefore(deployment.createdAt().plus(builder.hiddenFor));
    }

    /** What is checked of a push before anything is made. */
    ObjectNode prepare(JsonNode request) {
        boolean fresh = request.hasNonNull("name");
        if (fresh == request.hasNonNull("model_id")) {
            throw Refusal.bad("Exactly one of name or model_id is required");
        }
        String name = fresh
                ? request.path("name").asText()
                : model(request.path("model_id").asText()).name();
        if (fresh && named(name).isPresent()) {
            throw taken(name);
        }
        check(name, request.path("deployment"));
        if (request.path("dry_run").asBoolean()) {
            ObjectNode json = BasetenRoutes.JSON.createObjectNode();
            json.putNull("creds").putNull("s3_bucket").putNull("s3_key").putNull("s3_region");
            return json;
        }
        return bucket.grant();
    }

    private static Refusal taken(String name) {
        return Refusal.bad("Model with name " + name + " already exists. Model names must be unique.");
    }

    private void check(String name, JsonNode payload) {
        JsonNode config = payload.path("config");
        String machine = config.path("resources").path("instance_type").asText("");
        if (!builder.paymentMethod) {
            throw new Refusal(403, "You must add a payment method to deploy models.");
        }
        if (!config.path("model_name").asText("").equals(name)) {
            throw Refusal.bad("model_name must equal the name of the model");
        }
        if (Machines.named(machine).isEmpty()) {
            throw Refusal.bad("Instance type " + machine + " does not exist");
        }
        String card = Machines.named(machine).orElseThrow().card();
        if (builder.disabled.contains(card)) {
            throw Refusal.bad("Feature unavailable: The GPU type '" + card
                    + "' is not supported for your organization. Please contact Baseten support.");
        }
        JsonNode server = config.path("docker_server");
        for (String field : List.of("start_command", "predict_endpoint", "readiness_endpoint", "liveness_endpoint")) {
            if (!server.path(field).isTextual()) {
                throw Refusal.bad("docker_server." + field + " is required");
            }
        }
        if (!server.path("server_port").isInt() || server.path("server_port").asInt() == 8080) {
            throw Refusal.bad("docker_server.server_port is reserved or missing");
        }
        if (config.path("base_image").path("image").asText("").isEmpty()) {
            throw Refusal.bad("base_image.image is required");
        }
        config.path("weights").forEach(weights -> {
            if (!weights.path("mount_location").asText("").startsWith("/")) {
                throw Refusal.bad("mount_location must be an absolute path");
            }
        });
        int minutes = payload.path("deploy_timeout_minutes").asInt(60);
        if (minutes < 10 || minutes > 1440) {
            throw Refusal.bad("deploy_timeout_minutes must be between 10 and 1440");
        }
    }

    ObjectNode create(JsonNode request) {
        JsonNode source = request.path("source");
        String name = source.path("name").asText("");
        return locked(() -> {
            if (named(name).isPresent()) {
                throw taken(name);
            }
            check(name, source.path("deployment"));
            checkArchive(source);
            StandInModel model =
                    new StandInModel("mdl%04d".formatted(++made), name, untouched(), builder.stickyProduction);
            models.put(model.id(), model);
            return created(model, source);
        });
    }

    ObjectNode push(String modelId, JsonNode request) {
        JsonNode source = request.path("source");
        return locked(() -> {
            StandInModel model = model(modelId);
            check(model.name(), source.path("deployment"));
            checkArchive(source);
            return created(model, source);
        });
    }

    private void checkArchive(JsonNode source) {
        JsonNode config = source.path("deployment").path("config");
        Optional<String> uploaded = bucket.config(source.path("s3_key").asText(""));
        try {
            if (uploaded.isEmpty()
                    || !BasetenRoutes.JSON.readTree(uploaded.get()).equals(config)) {
                throw Refusal.bad("the archive is missing or does not match the config");
            }
        } catch (JacksonException e) {
            throw Refusal.bad("config.yaml cannot be read");
        }
    }

    private ObjectNode created(StandInModel model, JsonNode source) {
        JsonNode payload = source.path("deployment");
        String asked =
                payload.path("config").path("resources").path("instance_type").asText();
        boolean keeps = payload.path("preserve_env_instance_type").asBoolean(true);
        StandInDeployment deployment = new StandInDeployment(
                "dep%04d".formatted(++made),
                model.id(),
                "deployment-" + made,
                keeps ? model.machine().orElse(asked) : asked,
                payload,
                builder.bootTime,
                this);
        deployment.trouble(builder.trouble);
        model.add(deployment);
        ObjectNode json = BasetenRoutes.JSON.createObjectNode();
        json.set("model", model.json());
        json.set("deployment", deployment.json(model.isProduction(deployment)));
        return json;
    }

    ObjectNode delete(String modelId) {
        return locked(() -> {
            StandInModel model = model(modelId);
            models.remove(modelId);
            model.deployments().forEach(StandInDeployment::close);
            return BasetenRoutes.JSON.createObjectNode().put("id", modelId).put("deleted", true);
        });
    }

    ObjectNode deleteDeployment(String modelId, String deploymentId) {
        return locked(() -> {
            StandInModel model = model(modelId);
            StandInDeployment deployment = deployment(model, deploymentId);
            if (model.isProduction(deployment)) {
                throw Refusal.bad("The production deployment cannot be deleted");
            }
            deployment.close();
            model.deployments().remove(deployment);
            return BasetenRoutes.JSON
                    .createObjectNode()
                    .put("id", deploymentId)
                    .put("deleted", true)
                    .put("model_id", modelId);
        });
    }

    static StandInDeployment deployment(StandInModel model, String id) {
        return model.deployment(id).orElseThrow(() -> Refusal.notFound("Deployment"));
    }

    Duration patience() {
        return builder.coldLimit;
    }

    void close() {
        List<StandInDeployment> all = new ArrayList<>();
        models().forEach(model -> all.addAll(model.deployments()));
        all.forEach(StandInDeployment::close);
    }
}
