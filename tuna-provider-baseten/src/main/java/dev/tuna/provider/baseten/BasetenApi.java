package dev.tuna.provider.baseten;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.JsonApi;
import dev.tuna.provider.support.JsonCall;
import dev.tuna.provider.support.Redaction;
import dev.tuna.provider.support.RetryPolicy;
import dev.tuna.provider.support.Sleeper;
import dev.tuna.spi.Credential;
import dev.tuna.spi.LogLine;
import dev.tuna.spi.ProviderContext;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** Baseten's management API, and the one harmless call to a model that tells whether it takes a key. Thread-safe. */
final class BasetenApi {

    /** Front ends of vendors have been seen to refuse the default agents of HTTP libraries. */
    private static final String AGENT = "tuna-java/0.1";

    private static final int NO_KEY = 401;
    private static final int FORBIDDEN = 403;
    private static final int MOST_LOG_LINES = 1000;
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** Baseten tells seven days at the most; the answer must not be refused for a second too many. */
    private static final Duration LONGEST_LOG = Duration.ofDays(7).minusMinutes(5);

    private final ProviderContext context;
    private final BasetenSettings settings;
    private final UnaryOperator<String> environment;
    private final JsonApi api;

    /** What the management API has taken; models may differ. */
    private volatile KeyScheme scheme = KeyScheme.BEARER;

    /**
     * @param environment looks up an environment variable; null stands for "not set"
     * @param sleeper waits between attempts
     */
    BasetenApi(ProviderContext context, BasetenSettings settings, UnaryOperator<String> environment, Sleeper sleeper) {
        this.context = context;
        this.settings = settings;
        this.environment = environment;
        this.api = JsonApi.builder(BasetenProvider.NAME, settings.apiUrl(), context)
                .errors(new BasetenErrors())
                .sleeper(sleeper)
                .build();
    }

    // --- keys ---

    /** The key that manages models, looked up anew, since it may have been changed. */
    Optional<Secret> key() {
        Optional<Secret> stored = context.secrets().get(settings.apiKey());
        return stored.isPresent()
                ? stored
                : Optional.ofNullable(environment.apply(BasetenSettings.KEY_VARIABLE))
                        .filter(key -> !key.isBlank())
                        .map(key -> Secret.of(key.strip()));
    }

    private Secret requiredKey() {
        return key().orElseThrow(() -> noKey(settings.apiKey()));
    }

    private Secret endpointKey() {
        return settings.endpointKey()
                .map(ref -> context.secrets().get(ref).orElseThrow(() -> noKey(ref)))
                .orElseGet(this::requiredKey);
    }

    /** What the router sends to models whose word for a key is known. */
    Credential endpointCredential(KeyScheme known) {
        return known.credential(endpointKey());
    }

    private static ProviderException noKey(SecretRef ref) {
        return ProviderException.of(BasetenProvider.NAME, "look up API key")
                .code(ErrorCode.NOT_CONFIGURED)
                .message("there is no secret '" + ref.name() + "'; put an API key there, or set "
                        + BasetenSettings.KEY_VARIABLE)
                .build();
    }

    private JsonNode send(JsonCall call) {
        return authorized(call, JsonCall::send);
    }

    private Optional<JsonNode> sendUnlessMissing(JsonCall call) {
        return authorized(call, JsonCall::sendUnlessMissing);
    }

    /** A 401 may mean the word in front of the key. */
    private <T> T authorized(JsonCall call, Function<JsonCall, T> send) {
        call.header("User-Agent", AGENT);
        KeyScheme first = scheme;
        Secret key = requiredKey();
        try {
            return send.apply(call.credential(first.credential(key)));
        } catch (ProviderException refused) {
            if (refused.httpStatus().orElse(0) != NO_KEY) {
                throw refused;
            }
            try {
                T answer = send.apply(call.credential(first.other().credential(key)));
                scheme = first.other();
                return answer;
            } catch (ProviderException again) {
                throw again.httpStatus().orElse(0) == NO_KEY ? refused : again;
            }
        }
    }

    /**
     * Finds out how a model wants its key, without waking it.
     *
     * @return the word it takes; empty if that cannot be told now
     */
    Optional<KeyScheme> endpointScheme(String modelId) {
        JsonApi model = JsonApi.builder(BasetenProvider.NAME, settings.modelUrl(modelId), context)
                .errors(new BasetenErrors())
                .timeout(PATIENCE)
                .retry(RetryPolicy.NONE)
                .build();
        Secret key = endpointKey();
        for (KeyScheme each : List.of(scheme, scheme.other())) {
            try {
                model.get("try key", "/environments/{}/async_queue_status", ModelPlanner.ENVIRONMENT)
                        .header("User-Agent", AGENT)
                        .credential(each.credential(key))
                        .sendUnlessMissing();
                return Optional.of(each);
            } catch (ProviderException e) {
                if (e.httpStatus().orElse(0) != NO_KEY) {
                    return Optional.empty();
                }
            }
        }
        return Optional.empty();
    }

    // --- models ---

    private JsonCall teamwide(Function<String, JsonCall> ofTeam, JsonCall ofKey) {
        return settings.team().map(ofTeam).orElse(ofKey);
    }

    /** Every model of the team, or of all that the key sees. */
    List<Model> models() {
        return models(send(teamwide(
                team -> api.get("list models", "/v1/teams/{}/models", team), api.get("list models", "/v1/models"))));
    }

    /** Those of a name, the one that counts first. The filter is recent, so the answer is filtered again. */
    List<Model> models(String name) {
        JsonCall call = teamwide(
                team -> api.get("find model", "/v1/teams/{}/models", team),
                api.get("find model", "/v1/models").query("name", name));
        return models(send(call)).stream()
                .filter(model -> model.name().equals(name))
                .sorted(Model.OLDEST_FIRST)
                .toList();
    }

    private static List<Model> models(JsonNode answer) {
        List<Model> models = new ArrayList<>();
        list(answer, "models", "list models").forEach(model -> models.add(Model.of(model)));
        return models;
    }

    private static JsonNode list(JsonNode answer, String field, String operation) {
        JsonNode listed = answer.path(field);
        if (!listed.isArray()) {
            throw ProviderException.of(BasetenProvider.NAME, operation)
                    .message("the answer has no list '" + field + "'")
                    .build();
        }
        return listed;
    }

    /** Asks for permission to upload; repeated freely, since it makes nothing. */
    UploadTarget prepare(Optional<Model> existing, ModelPlan plan) {
        JsonNode answer = send(api.post("prepare upload", "/v1/prepare_model_upload")
                .json(preparation(existing, plan, false))
                .idempotent());
        return UploadTarget.of(answer, settings.uploadUrl());
    }

    /** Has a push checked without making anything. */
    void check(Optional<Model> existing, ModelPlan plan) {
        send(api.post("check push", "/v1/prepare_model_upload")
                .json(preparation(existing, plan, true))
                .idempotent());
    }

    private ObjectNode preparation(Optional<Model> existing, ModelPlan plan, boolean dryRun) {
        ObjectNode request = ModelPlan.JSON.createObjectNode();
        existing.ifPresentOrElse(model -> request.put("model_id", model.id()), () -> {
            request.put("name", plan.name());
            settings.team().ifPresent(team -> request.put("team_id", team));
        });
        request.put("dry_run", dryRun);
        request.set("deployment", plan.deployment());
        return request;
    }

    /** Makes a model with its first deployment; refused if the name is taken. */
    Model create(ModelPlan plan, UploadTarget uploaded) {
        ObjectNode request = source(plan, uploaded);
        ((ObjectNode) request.path("source")).put("name", plan.name());
        JsonNode answer = send(teamwide(
                        team -> api.post("create model", "/v1/teams/{}/models", team),
                        api.post("create model", "/v1/models"))
                .json(request));
        return Model.of(answer.path("model"));
    }

    /** Adds a deployment to a model. */
    void push(Model model, ModelPlan plan, UploadTarget uploaded) {
        send(api.post("create deployment", "/v1/models/{}/deployments", model.id())
                .json(source(plan, uploaded)));
    }

    private static ObjectNode source(ModelPlan plan, UploadTarget uploaded) {
        ObjectNode request = ModelPlan.JSON.createObjectNode();
        ObjectNode source = request.putObject("source");
        source.put("kind", "model_archive").put("s3_key", uploaded.key());
        source.set("deployment", plan.deployment());
        return request;
    }

    /** The deployments of a model, oldest first; empty if there is no such model. */
    Optional<List<Deployment>> deployments(String modelId) {
        return sendUnlessMissing(api.get("list deployments", "/v1/models/{}/deployments", modelId))
                .map(answer -> {
                    List<Deployment> deployments = new ArrayList<>();
                    list(answer, "deployments", "list deployments")
                            .forEach(deployment -> deployments.add(Deployment.of(deployment)));
                    deployments.sort(Deployment.OLDEST_FIRST);
                    return List.copyOf(deployments);
                });
    }

    /** What does not exist counts as deleted. */
    void deleteModel(String modelId) {
        sendUnlessMissing(api.delete("delete model", "/v1/models/{}", modelId));
    }

    /** What does not exist counts as deleted; refused for the one in production. */
    void deleteDeployment(String modelId, String deploymentId) {
        sendUnlessMissing(api.delete("delete deployment", "/v1/models/{}/deployments/{}", modelId, deploymentId));
    }

    void activate(Deployment deployment) {
        send(api.post(
                        "activate deployment",
                        "/v1/models/{}/deployments/{}/activate",
                        deployment.modelId(),
                        deployment.id())
                .idempotent());
    }

    /** Activates what Tuna deactivated, and takes back the name that says so. */
    void unpark(Deployment deployment) {
        if (deployment.isStopped()) {
            activate(deployment);
        }
        rename(deployment, Deployment.UNPARKED + deployment.id());
    }

    /** Whether a deployment that failed is tried again. */
    boolean retry(Deployment deployment) {
        return send(api.post(
                        "retry deployment",
                        "/v1/models/{}/deployments/{}/retry",
                        deployment.modelId(),
                        deployment.id()))
                .path("retried")
                .asBoolean();
    }

    /** Environment {@code production}; empty if there is none yet. */
    Optional<JsonNode> production(String modelId) {
        return sendUnlessMissing(
                api.get("read environment", "/v1/models/{}/environments/{}", modelId, ModelPlanner.ENVIRONMENT));
    }

    /** Empty if there is no environment {@code production} yet. It is applied later. */
    Optional<JsonNode> configure(String modelId, JsonNode wanted) {
        return sendUnlessMissing(
                api.patch("configure environment", "/v1/models/{}/environments/{}", modelId, ModelPlanner.ENVIRONMENT)
                        .json(wanted)
                        .idempotent());
    }

    void promote(String modelId, String deploymentId) {
        send(api.post("promote deployment", "/v1/models/{}/environments/{}/promote", modelId, ModelPlanner.ENVIRONMENT)
                .json(Map.of("deployment_id", deploymentId, "preserve_env_instance_type", false)));
    }

    void deactivate(Deployment deployment) {
        send(api.post(
                        "deactivate deployment",
                        "/v1/models/{}/deployments/{}/deactivate",
                        deployment.modelId(),
                        deployment.id())
                .idempotent());
    }

    /** Gives a deployment another name, which nothing else depends on. */
    void rename(Deployment deployment, String name) {
        send(api.patch("rename deployment", "/v1/models/{}/deployments/{}", deployment.modelId(), deployment.id())
                .json(Map.of("name", name))
                .idempotent());
    }

    /** The last lines of a deployment's log, newest first. */
    List<LogLine> lastLog(Deployment deployment, int lines, Redaction redaction) {
        JsonCall call = api.get("read log", "/v1/models/{}/deployments/{}/logs", deployment.modelId(), deployment.id())
                .query("direction", "desc")
                .query("limit", Math.min(lines, MOST_LOG_LINES));
        Instant now = context.clock().instant();
        if (deployment.createdAt().isBefore(now)) {
            // Without a start only the last half hour is looked at, and a build may have failed before.
            Instant earliest = now.minus(LONGEST_LOG);
            call.query(
                    "start_epoch_millis",
                    (deployment.createdAt().isBefore(earliest) ? earliest : deployment.createdAt()).toEpochMilli());
        }
        List<LogLine> log = new ArrayList<>();
        sendUnlessMissing(call)
                .ifPresent(answer -> answer.path("logs").forEach(line -> log.add(logLine(line, redaction))));
        return log;
    }

    private static LogLine logLine(JsonNode line, Redaction redaction) {
        String nanos = line.path("timestamp").asText("");
        return new LogLine(
                nanos.matches("\\d{1,18}|[1-8]\\d{18}")
                        ? Optional.of(Instant.ofEpochSecond(0, Long.parseLong(nanos)))
                        : Optional.empty(),
                line.path("replica").asText(""),
                redaction.redact(line.path("message").asText("").stripTrailing()));
    }

    // --- the workspace ---

    /** The names of all secrets. */
    List<String> secrets() {
        JsonNode answer = send(teamwide(
                team -> api.get("list secrets", "/v1/teams/{}/secrets", team), api.get("list secrets", "/v1/secrets")));
        List<String> names = new ArrayList<>();
        list(answer, "secrets", "list secrets")
                .forEach(secret -> names.add(secret.path("name").asText()));
        return names;
    }

    /** Makes a secret or gives it another value. */
    void putSecret(String name, Secret value) {
        send(teamwide(
                        team -> api.post("store secret", "/v1/teams/{}/secrets", team),
                        api.post("store secret", "/v1/secrets"))
                .json(Map.of("name", name, "value", value))
                .idempotent());
    }

    /** What does not exist counts as deleted. */
    void deleteSecret(String name) {
        sendUnlessMissing(teamwide(
                team -> api.delete("delete secret", "/v1/teams/{}/secrets/{}", team, name),
                api.delete("delete secret", "/v1/secrets/{}", name)));
    }

    InstanceCatalog instanceTypes(Instant now) {
        return InstanceCatalog.live(send(api.get("list instance types", "/v1/instance_type_prices")), now);
    }

    /**
     * The name of the workspace that the key is of; empty if that is not told.
     *
     * @throws dev.tuna.api.TunaException if Baseten does not take the key
     */
    Optional<String> workspace() {
        Optional<JsonNode> user;
        try {
            user = sendUnlessMissing(api.get("read user", "/v1/users/me"));
        } catch (ProviderException e) {
            if (e.httpStatus().orElse(0) != FORBIDDEN) {
                throw e;
            }
            user = Optional.empty();
        }
        if (user.isEmpty()) {
            // The key may belong to nobody; what it is for is models.
            models();
        }
        return user.map(found -> found.path("workspace_name").asText("")).filter(name -> !name.isEmpty());
    }
}
