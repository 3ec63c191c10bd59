package dev.tuna.provider.modal;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.vllm.VllmCommand;
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

/** Turns a spec into the script that Modal will be given. Confined to one planning; reads nothing but its arguments. */
final class AppPlanner {

    static final String KIND = "app";
    static final String VOLUME_KIND = "volume";

    private static final int PORT = 8000;

    /** Where the volume is; weights and compiled code are kept over cold starts there. */
    private static final String CACHE = "/cache";

    /** Its directories, for weights and for compiled code. */
    static final String WEIGHTS = "/huggingface";

    static final String COMPILED = "/vllm";

    /** modal.com/docs/guide/timeouts, read 2026-11-23. */
    private static final Duration SHORTEST_TIMEOUT = Duration.ofSeconds(1);

    private static final Duration LONGEST_TIMEOUT = Duration.ofDays(1);

    /** modal.com/docs/guide/scale, read 2026-11-23. */
    private static final Duration SHORTEST_WINDOW = Duration.ofSeconds(2);

    private static final Duration LONGEST_WINDOW = Duration.ofMinutes(20);

    /** A function cannot have more (modal.com/docs/guide/scale, read 2026-11-23). */
    private static final int MOST_CONTAINERS = 4000;

    /** The container's own start comes on top of the model server's. */
    private static final Duration CONTAINER_START = Duration.ofMinutes(1);

    private static final int DIGEST_LENGTH = 8;

    private static final ScalingPolicy.Serverless DEFAULTS =
            ScalingPolicy.Serverless.builder().build();

    private final ServerlessSpec spec;
    private final EngineSpec engine;
    private final ModalOptions options;
    private final Access access;
    private final AppName name;
    private final List<String> problems = new ArrayList<>();
    private final List<String> adaptations = new ArrayList<>();
    private final String gpu;
    private final Duration timeout;

    private AppPlanner(ServerlessSpec spec, ModalOptions options, String owner) {
        this.spec = spec;
        this.engine = spec.engine();
        this.options = options;
        this.name = new AppName(owner, spec.deployment());
        this.access = spec.publicAccess() ? Access.OPEN : options.access().orElse(Access.PROXY_TOKEN);
        this.gpu = gpu();
        this.timeout = Duration.ofSeconds(
                seconds("serverless.timeout", spec.scaling().timeout(), SHORTEST_TIMEOUT, LONGEST_TIMEOUT));
    }

    /**
     * Plans.
     *
     * @throws ConfigurationException naming everything that cannot be honoured
     */
    static ServerlessPlan plan(ServerlessSpec spec, ModalOptions options, String owner) {
        return new AppPlanner(spec, options, owner).plan();
    }

    private ServerlessPlan plan() {
        VllmCommand command = VllmCommand.builder(engine).port(PORT).build();
        Map<String, SecretRef> secrets = secrets(command);
        ObjectNode plan = AppPlan.JSON.createObjectNode();
        String app = name();
        plan.put("app", app);
        plan.put("image", command.image());
        plan.put("add_python", options.python().orElse(null));
        ArrayNode words = plan.putArray("command");
        command.words().forEach(words::add);
        plan.putObject("environment").put("HF_HOME", CACHE + WEIGHTS).put("VLLM_CACHE_ROOT", CACHE + COMPILED);
        plan.put("cache", CACHE).put("volume", options.cacheVolume().orElse(app));
        ArrayNode names = plan.putArray("secrets");
        new TreeMap<>(secrets).keySet().forEach(names::add);
        plan.set("function", function());
        plan.putObject("concurrent").put("max_inputs", spec.scaling().concurrency());
        plan.put("port", PORT);
        plan.putObject("web_server")
                .put("startup_timeout", options.startupTimeout().toSeconds())
                .put("requires_proxy_auth", access == Access.PROXY_TOKEN);
        checkScaler();
        checkAccess();
        String script = AppScript.render(plan);
        VersionTag tag = tag(script, secrets);
        if (!problems.isEmpty()) {
            throw new ConfigurationException(ErrorCode.INVALID_REQUEST, "provider modal", problems);
        }
        Optional<String> volume = options.cacheVolume().isPresent() ? Optional.empty() : Optional.of(app);
        return new ServerlessPlan(
                spec.deployment(),
                new ResourceRef(ModalProvider.NAME, KIND, app),
                summary(app, command),
                new AppPlan(app, tag, volume, script, secrets).text(),
                adaptations);
    }

    private String summary(String app, VllmCommand command) {
        String guard = switch (access) {
            case PROXY_TOKEN -> "behind a proxy token";
            case ENGINE_KEY -> "guarded by the engine's key only";
            case OPEN -> "open to everybody";
        };
        return "Web function of app " + app + " for " + engine.model() + " on " + engine.gpuCount() + " x "
                + engine.gpu() + " (" + gpu + "), " + spec.scaling().workersMin() + " to "
                + spec.scaling().workersMax() + " containers with "
                + spec.scaling().concurrency() + " requests each, image " + command.image() + ", " + guard;
    }

    private String name() {
        int room = AppName.room(name.owner());
        if (name.deployment().length() > room) {
            problems.add("service name is '" + name.deployment() + "' but Modal leaves room for " + room
                    + " characters beside the installation's id");
        }
        return name.text();
    }

    // --- who is let in ---

    private Map<String, SecretRef> secrets(VllmCommand command) {
        Map<String, SecretRef> secrets = new TreeMap<>(command.environment());
        if (access != Access.ENGINE_KEY) {
            // Modal's token and the engine's key would both have to stand in the same header.
            secrets.remove(VllmCommand.API_KEY_VARIABLE);
        }
        return secrets;
    }

    private void checkAccess() {
        options.access()
                .filter(wanted -> spec.publicAccess())
                .ifPresent(wanted -> problems.add("public access is asked for, but option access is set to "
                        + (wanted == Access.PROXY_TOKEN ? "proxy_token" : "engine_key") + "; leave one of them out"));
        if (access == Access.ENGINE_KEY && engine.apiKey().isEmpty()) {
            problems.add("option access is 'engine_key' but the engine has no key; set it to proxy_token");
        }
    }

    // --- on what ---

    private String gpu() {
        Optional<GpuTable.Gpu> found = GpuTable.BUILT_IN.find(engine.gpu());
        if (found.isEmpty()) {
            problems.add("gpu is '" + engine.gpu() + "' but Modal has " + String.join(", ", GpuTable.BUILT_IN.names())
                    + "; choose one of these");
            return "";
        }
        if (engine.gpuCount() > found.get().most()) {
            problems.add("gpuCount is " + engine.gpuCount() + " but a container on Modal has at most "
                    + found.get().most() + " x " + found.get().name());
        }
        return found.get().modalName() + (engine.gpuCount() == 1 ? "" : ":" + engine.gpuCount());
    }

    private ObjectNode function() {
        ScalingPolicy.Serverless scaling = spec.scaling();
        if (scaling.workersMax() > MOST_CONTAINERS) {
            problems.add("serverless.workers_max is " + scaling.workersMax() + " but Modal gives a function at most "
                    + MOST_CONTAINERS + " containers");
        }
        ObjectNode function = AppPlan.JSON.createObjectNode();
        function.put("gpu", gpu)
                .put("min_containers", scaling.workersMin())
                .put("max_containers", scaling.workersMax())
                .put(
                        "scaledown_window",
                        seconds(
                                "serverless.scaledown_window",
                                scaling.scaledownWindow(),
                                SHORTEST_WINDOW,
                                LONGEST_WINDOW))
                .put("timeout", timeout.toSeconds())
                // Else the timeout of requests would hold for starts too.
                .put(
                        "startup_timeout",
                        options.startupTimeout().plus(CONTAINER_START).toSeconds());
        region().ifPresent(region -> function.put("region", region));
        options.cloud().ifPresent(cloud -> function.put("cloud", cloud));
        options.cpu().ifPresent(cores -> function.put("cpu", cores));
        options.memoryMib().ifPresent(mib -> function.put("memory", mib));
        return function;
    }

    private Optional<String> region() {
        spec.region()
                .filter(region -> !Place.REGION.matcher(region).matches())
                .ifPresent(region -> problems.add("serverless region is '" + region
                        + "' but must be one of Modal's, such as us, eu or us-east; leave it unset for anywhere"));
        return spec.region();
    }

    private long seconds(String key, Duration value, Duration least, Duration most) {
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            problems.add(key + " is " + value.toSeconds() + " s but Modal takes " + least.toSeconds() + " s to "
                    + most.toSeconds() + " s");
        }
        return value.plusSeconds(1).minusNanos(1).toSeconds();
    }

    private void checkScaler() {
        ScalingPolicy.Serverless scaling = spec.scaling();
        if (scaling.scalerValue() != DEFAULTS.scalerValue()) {
            problems.add("serverless.scaler_value is " + scaling.scalerValue()
                    + " but Modal scales by serverless.concurrency; leave it at " + DEFAULTS.scalerValue());
        } else {
            adaptations.add("Modal scales by requests in flight (" + scaling.concurrency()
                    + " a container), not by queue delay");
        }
    }

    // --- what the cloud remembers of it ---

    private VersionTag tag(String script, Map<String, SecretRef> secrets) {
        long inFlight = (long) spec.scaling().concurrency() * spec.scaling().workersMax();
        return new VersionTag(
                digest(script + new TreeMap<>(secrets)),
                GpuTable.BUILT_IN
                        .find(engine.gpu())
                        .map(GpuTable.Gpu::modalName)
                        .orElse(""),
                engine.gpuCount(),
                timeout,
                (int) Math.min(inFlight, 999_999_999),
                access,
                Place.of(spec.region()));
    }

    private static String digest(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash).substring(0, DIGEST_LENGTH);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
