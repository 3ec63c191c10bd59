package dev.tuna.provider.baseten;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.vllm.VllmCommand;
import dev.tuna.provider.support.vllm.VllmFlags;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Turns a spec into what Baseten will be sent. Confined to one planning; reads nothing but its arguments. */
final class ModelPlanner {

    static final String KIND = "model";

    static final String ENVIRONMENT = "production";

    /** Baseten ends a request then (docs.baseten.co/inference/errors). */
    static final Duration REQUEST_LIMIT = Duration.ofMinutes(20);

    private static final Duration LONGEST_WINDOW = Duration.ofHours(1);
    private static final ScalingPolicy.Serverless DEFAULTS =
            ScalingPolicy.Serverless.builder().build();

    /** 8080 is Baseten's own. */
    private static final int PORT = 8000;

    private static final String MOUNT = "/models/weights";
    private static final String TOKEN = "HF_TOKEN";
    private static final String SECRET_FILES = "/secrets/";

    /** The supervisor around the engine kills it 10 s after it told it to end. */
    private static final Duration SHUTDOWN = Duration.ofSeconds(8);

    /** Where the model stands in {@code vllm serve MODEL}. */
    private static final int MODEL_WORD = 2;

    private static final int RESTART_SECONDS = 300;
    private static final int STOP_TRAFFIC_SECONDS = 60;
    private static final int OWNER_PART = 8;
    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9-]*-[a-z0-9]{1," + OWNER_PART + "}");
    private static final int FINGERPRINT = 16;

    private final ServerlessSpec spec;
    private final EngineSpec engine;
    private final BasetenOptions options;
    private final InstanceCatalog catalog;
    private final String owner;
    private final List<String> problems = new ArrayList<>();
    private final List<String> adaptations = new ArrayList<>();
    private final Map<String, SecretRef> secrets = new TreeMap<>();

    private ModelPlanner(ServerlessSpec spec, BasetenOptions options, InstanceCatalog catalog, String owner) {
        this.spec = spec;
        this.engine = spec.engine();
        this.options = options;
        this.catalog = catalog;
        this.owner = owner;
    }

    /**
     * Plans.
     *
     * @param catalog which machines have the GPU
     * @throws ConfigurationException naming everything that cannot be honoured
     */
    static ServerlessPlan plan(ServerlessSpec spec, BasetenOptions options, InstanceCatalog catalog, String owner) {
        return new ModelPlanner(spec, options, catalog, owner).plan();
    }

    /** Two installations may use one workspace, and one deployment name. */
    static String name(String deployment, String owner) {
        return deployment + "-" + owner.substring(0, Math.min(OWNER_PART, owner.length()));
    }

    /** Whether a model may be one of Tuna's, whoever's; its labels say so for certain. */
    static boolean mayBeName(String name) {
        return NAME.matcher(name).matches();
    }

    private ServerlessPlan plan() {
        spec.region()
                .ifPresent(region -> problems.add("serverless region is '" + region
                        + "' but Baseten places models where the workspace's plan says; leave it unset"));
        if (spec.publicAccess()) {
            adaptations.add("Baseten always demands an API key, which the router sends; clients need none");
        }
        String name = name(spec.deployment(), owner);
        String machine = machine();
        ObjectNode config = config(name, machine);
        EnvironmentSettings settings = settings();
        ObjectNode deployment = deployment(config, settings);
        if (!problems.isEmpty()) {
            throw new ConfigurationException(ErrorCode.INVALID_REQUEST, "provider baseten", problems);
        }
        String summary = "Model " + name + " for " + engine.model() + " on " + machine + " (" + engine.gpuCount()
                + " x " + engine.gpu() + "), " + spec.scaling().workersMin() + " to "
                + spec.scaling().workersMax() + " replicas, image "
                + config.path("base_image").path("image").asText();
        return new ServerlessPlan(
                spec.deployment(),
                new ResourceRef(BasetenProvider.NAME, KIND, name),
                summary,
                new ModelPlan(name, deployment, settings.json(), secrets).text(),
                adaptations);
    }

    private ObjectNode deployment(ObjectNode config, EnvironmentSettings settings) {
        ObjectNode deployment = ModelPlan.JSON.createObjectNode();
        deployment.put("environment_name", ENVIRONMENT);
        // Otherwise an environment that is there keeps the machine it has had.
        deployment.put("preserve_env_instance_type", false);
        deployment.put("deploy_timeout_minutes", options.deployTimeout().toMinutes());
        String timeout = Long.toString(timeout().toSeconds());
        String placement = Long.toString(options.placementLimit().toSeconds());
        ObjectNode labels = deployment.putObject("labels");
        labels.put(Labels.OWNER, owner);
        labels.put(Labels.DEPLOYMENT, spec.deployment());
        labels.put(Labels.PLAN, fingerprint(config + timeout + placement));
        labels.put(
                Labels.MACHINE,
                Labels.plain(config.path("resources").path("instance_type").asText()));
        labels.put(Labels.TIMEOUT, timeout);
        labels.put(Labels.PLACEMENT, placement);
        labels.put(Labels.SETTINGS, settings.label());
        deployment.set("config", config);
        return deployment;
    }

    private static String fingerprint(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest).substring(0, FINGERPRINT);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    // --- what runs ---

    private ObjectNode config(String name, String machine) {
        ObjectNode config = ModelPlan.JSON.createObjectNode();
        config.put("model_name", name);
        config.putObject("model_metadata").putArray("tags").add("openai-compatible");
        VllmCommand.Builder builder =
                VllmCommand.builder(withoutRevision()).port(PORT).shutdownTimeout(SHUTDOWN);
        VllmCommand command = (options.olderDriver() ? builder.olderDriver() : builder).build();
        ObjectNode image = config.putObject("base_image").put("image", command.image());
        options.registrySecret()
                .ifPresent(secret -> image.putObject("docker_auth")
                        .put("auth_method", "REGISTRY_SECRET")
                        .put("secret_name", secret)
                        .put("registry", options.registry().orElseThrow()));
        Map<String, String> files = secretFiles();
        Optional<String> source = source();
        ObjectNode server = config.putObject("docker_server");
        server.put("start_command", StartCommand.line(words(command, source.isPresent()), files));
        server.put("server_port", PORT);
        server.put("predict_endpoint", "/v1/chat/completions");
        server.put("readiness_endpoint", "/health");
        server.put("liveness_endpoint", "/health");
        source.ifPresent(uri -> mount(config, uri));
        config.putObject("resources").put("instance_type", machine);
        runtime(config.putObject("runtime"));
        ObjectNode mounted = config.putObject("secrets");
        secrets.keySet().forEach(mounted::putNull);
        options.tokenSecret().ifPresent(mounted::putNull);
        return config;
    }

    private void runtime(ObjectNode runtime) {
        runtime.put("predict_concurrency", spec.scaling().concurrency());
        // How long a stream may be silent: a long prompt of many is.
        runtime.put("streaming_read_timeout", timeout().toSeconds());
        runtime.putObject("health_checks")
                .put("startup_threshold_seconds", options.startupLimit().toSeconds())
                .put("restart_threshold_seconds", RESTART_SECONDS)
                .put("stop_traffic_threshold_seconds", STOP_TRAFFIC_SECONDS);
    }

    private List<String> words(VllmCommand command, boolean mounted) {
        List<String> words = new ArrayList<>(command.words());
        if (mounted) {
            words.set(MODEL_WORD, MOUNT);
        } else {
            revision().ifPresent(revision -> words.addAll(List.of("--revision", revision)));
        }
        problems.addAll(StartCommand.problems(words));
        return words;
    }

    // --- with which secrets ---

    /** Baseten has no secret environment variables: a secret is a file, and a shell reads it. */
    private Map<String, String> secretFiles() {
        Map<String, String> files = new TreeMap<>();
        engine.secrets().forEach((variable, ref) -> {
            if (variable.equals(TOKEN) && options.tokenSecret().isPresent()) {
                return;
            }
            String secret = new WorkspaceSecret(owner, spec.deployment(), variable).name();
            secrets.put(secret, ref);
            files.put(variable, SECRET_FILES + secret);
        });
        options.tokenSecret().ifPresent(secret -> files.put(TOKEN, SECRET_FILES + secret));
        if (!files.isEmpty()) {
            adaptations.add("secrets are put into the Baseten workspace, and the engine's variables "
                    + String.join(", ", files.keySet()) + " are read from their files");
        }
        return files;
    }

    private Optional<String> tokenSecret() {
        return options.tokenSecret()
                .or(() -> Optional.ofNullable(engine.secrets().get(TOKEN))
                        .map(ref -> new WorkspaceSecret(owner, spec.deployment(), TOKEN).name()));
    }

    // --- which weights ---

    private Optional<String> source() {
        if (options.download() || engine.model().startsWith("/")) {
            return Optional.empty();
        }
        return options.weightsSource()
                .or(() -> Optional.of("hf://" + engine.model()
                        + revision().map(revision -> "@" + revision).orElse("")));
    }

    private void mount(ObjectNode config, String source) {
        ObjectNode weights = config.putArray("weights").addObject();
        weights.put("source", source).put("mount_location", MOUNT);
        // A token that is only there for the container does not let the copy be made.
        tokenSecret()
                .filter(secret -> source.startsWith("hf://"))
                .ifPresent(secret -> weights.putObject("auth")
                        .put("auth_method", "CUSTOM_SECRET")
                        .put("auth_secret_name", secret));
        if (!options.weightsIgnore().isEmpty()) {
            ArrayNode ignore = weights.putArray("ignore_patterns");
            options.weightsIgnore().forEach(ignore::add);
        }
    }

    /** As the option says, or as the engine is told on the other tiers. */
    private Optional<String> revision() {
        return options.revision().or(() -> revisionArgument(engine.arguments()));
    }

    private static Optional<String> revisionArgument(List<String> arguments) {
        for (int at = 0; at < arguments.size(); at++) {
            String word = arguments.get(at);
            if (isRevision(word)) {
                return word.contains("=")
                        ? Optional.of(word.substring(word.indexOf('=') + 1))
                        : arguments.stream().skip(at + 1L).findFirst();
            }
        }
        return Optional.empty();
    }

    /** A revision of what is mounted already means nothing to the engine. */
    private EngineSpec withoutRevision() {
        List<String> words = new ArrayList<>();
        boolean value = false;
        for (String word : engine.arguments()) {
            if (!value && !isRevision(word)) {
                words.add(word);
            }
            value = isRevision(word) && !word.contains("=");
        }
        return engine.withArguments(words);
    }

    private static boolean isRevision(String word) {
        return VllmFlags.nameIn(word).equals("revision");
    }

    // --- on what ---

    private String machine() {
        if (options.instanceType().isPresent()) {
            String sku = options.instanceType().get();
            catalog.sku(sku)
                    .filter(type ->
                            type.gpuCount() != engine.gpuCount() || !type.gpu().equalsIgnoreCase(engine.gpu()))
                    .ifPresent(type -> problems.add("option instance_type is '" + sku + "', which has "
                            + type.gpuCount() + " x " + type.gpu() + ", but " + engine.gpuCount() + " x "
                            + engine.gpu() + " are asked for; change one of them"));
            return sku;
        }
        Optional<InstanceType> best = catalog.best(engine.gpu(), engine.gpuCount());
        if (best.isEmpty()) {
            List<Integer> counts = catalog.counts(engine.gpu());
            problems.add(
                    counts.isEmpty()
                            ? "gpu is '" + engine.gpu() + "' but Baseten has " + String.join(", ", catalog.gpus())
                                    + "; choose one of these or name a machine in the option instance_type"
                            : "GPU count is " + engine.gpuCount() + " but a machine of Baseten has one of " + counts
                                    + " x " + engine.gpu() + "; choose one of these or name a machine in the option"
                                    + " instance_type");
        }
        return best.map(InstanceType::sku).orElse("");
    }

    // --- how much of it ---

    /** Left alone, a model is full with one request and never gets a second replica. */
    private EnvironmentSettings settings() {
        ScalingPolicy.Serverless scaling = spec.scaling();
        if (scaling.scalerValue() != DEFAULTS.scalerValue()) {
            problems.add("serverless.scaler_value is " + scaling.scalerValue()
                    + " but Baseten scales by serverless.concurrency; leave it at " + DEFAULTS.scalerValue());
        } else {
            adaptations.add("Baseten scales by requests in flight: another replica from " + options.utilization()
                    + " % of " + scaling.concurrency() + " on, not by queue delay");
        }
        return new EnvironmentSettings(
                scaling.workersMin(),
                scaling.workersMax(),
                scaling.concurrency(),
                options.utilization(),
                (int) options.autoscalingWindow().toSeconds(),
                window(),
                options.reject());
    }

    private int window() {
        Duration window = spec.scaling().scaledownWindow();
        if (window.compareTo(LONGEST_WINDOW) > 0) {
            problems.add("serverless.scaledown_window is " + window.toSeconds() + " s but Baseten takes 0 s to 3600 s");
            return 0;
        }
        return (int) inSeconds(window);
    }

    private Duration timeout() {
        Duration timeout = spec.scaling().timeout();
        String problem = "serverless.timeout is " + timeout.toSeconds() + " s but Baseten ends requests after "
                + REQUEST_LIMIT.toSeconds() + " s; set it to that at most";
        if (timeout.compareTo(REQUEST_LIMIT) > 0 && !problems.contains(problem)) {
            problems.add(problem);
        }
        return Duration.ofSeconds(inSeconds(timeout));
    }

    private static long inSeconds(Duration time) {
        return time.plusSeconds(1).minusNanos(1).toSeconds();
    }
}
