package dev.tuna.provider.runpod;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Turns a spec into the request that RunPod will be sent. Confined to one planning; reads nothing but its arguments. */
final class EndpointPlanner {

    static final String KIND = "endpoint";

    /** RunPod's load balancer ends a request after 5.5 minutes (docs.runpod.io/serverless/load-balancing/overview). */
    static final Duration LOAD_BALANCER_LIMIT = Duration.ofSeconds(330);

    /** Whose endpoint it is, for which deployment, and how many workers it was given: RunPod has no labels. */
    static final String OWNER = "TUNA_OWNER";

    static final String DEPLOYMENT = "TUNA_DEPLOYMENT";
    static final String WORKERS_MAX = "TUNA_WORKERS_MAX";

    private static final Duration SHORTEST_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration LONGEST_TIMEOUT = Duration.ofDays(7);
    private static final Duration SHORTEST_WINDOW = Duration.ofSeconds(1);
    private static final Duration LONGEST_WINDOW = Duration.ofHours(1);
    private static final ScalingPolicy.Serverless DEFAULTS =
            ScalingPolicy.Serverless.builder().build();
    private static final int IMAGE_GB = 40;
    private static final int OWNER_PART = 8;

    private final ServerlessSpec spec;
    private final EngineSpec engine;
    private final RunPodOptions options;
    private final GpuCatalog catalog;
    private final String owner;
    private final List<String> problems = new ArrayList<>();
    private final List<String> adaptations = new ArrayList<>();
    private final Map<String, SecretRef> secrets = new TreeMap<>();
    private final EngineContainer container;

    private EndpointPlanner(ServerlessSpec spec, RunPodOptions options, GpuCatalog catalog, String owner) {
        this.spec = spec;
        this.engine = spec.engine();
        this.options = options;
        this.catalog = catalog;
        this.owner = owner;
        this.container = new EngineContainer(spec, options, problems, adaptations);
    }

    /**
     * Plans.
     *
     * @param catalog which pool has the GPU
     * @throws ConfigurationException naming everything that cannot be honoured
     */
    static ServerlessPlan plan(ServerlessSpec spec, RunPodOptions options, GpuCatalog catalog, String owner) {
        return new EndpointPlanner(spec, options, catalog, owner).plan();
    }

    /** Two installations may use one account, and one deployment name. */
    static String name(String deployment, String owner) {
        return deployment + "-" + owner.substring(0, Math.min(OWNER_PART, owner.length()));
    }

    private ServerlessPlan plan() {
        ObjectNode create = EndpointPlan.JSON.createObjectNode();
        String name = name(spec.deployment(), owner);
        create.put("name", name).put("type", options.type());
        container(create);
        create.set("gpu", gpu());
        scaling(create);
        place(create);
        create.put("timeout", timeout().toMillis());
        create.put("flashboot", options.accelerator().orElse(engine.fastBoot() ? "FLASHBOOT" : "OFF"));
        if (spec.publicAccess()) {
            adaptations.add("RunPod always demands an API key, which the router sends; clients need none");
        }
        if (!problems.isEmpty()) {
            throw new ConfigurationException(ErrorCode.INVALID_REQUEST, "provider runpod", problems);
        }
        return new ServerlessPlan(
                spec.deployment(),
                new ResourceRef(RunPodProvider.NAME, KIND, name),
                summary(create),
                new EndpointPlan(create, secrets).text(),
                adaptations);
    }

    private String summary(ObjectNode create) {
        return (options.queue() ? "Queue" : "Load-balancing") + " endpoint "
                + create.path("name").asText() + " for " + engine.model() + " on " + engine.gpuCount() + " x "
                + engine.gpu() + " (" + String.join(", ", pools()) + "), "
                + spec.scaling().workersMin() + " to " + spec.scaling().workersMax() + " workers, image "
                + create.path("image").asText();
    }

    // --- what runs ---

    private void container(ObjectNode create) {
        options.registry().ifPresent(id -> create.put("registry", id));
        create.put("disk", options.diskGb().orElseGet(() -> IMAGE_GB + memoryGb() * engine.gpuCount()));
        secrets.putAll(container.describe(
                create,
                Map.of(
                        OWNER, owner,
                        DEPLOYMENT, spec.deployment(),
                        WORKERS_MAX, Integer.toString(spec.scaling().workersMax()))));
    }

    // --- on what ---

    private List<String> pools() {
        return options.pools().isEmpty()
                ? catalog.of(engine.gpu()).stream()
                        .map(GpuType::pool)
                        .distinct()
                        .toList()
                : options.pools();
    }

    private int memoryGb() {
        return pools().stream()
                .flatMap(pool -> catalog.in(pool).stream())
                .mapToInt(GpuType::memoryGb)
                .max()
                .orElse(IMAGE_GB);
    }

    private ObjectNode gpu() {
        ObjectNode gpu = EndpointPlan.JSON.createObjectNode();
        List<String> pools = pools();
        if (pools.isEmpty()) {
            problems.add("gpu is '" + engine.gpu() + "' but RunPod has " + String.join(", ", catalog.gpus())
                    + " for endpoints; choose one of these or name pools in the option gpu_pools");
        }
        checkCount(pools);
        ArrayNode chosen = gpu.putArray("pools");
        pools.forEach(chosen::add);
        List<String> excluded = options.pools().isEmpty() ? others(pools) : options.excludedTypes();
        if (!excluded.isEmpty()) {
            ArrayNode types = gpu.putArray("excludedTypes");
            excluded.forEach(types::add);
        }
        gpu.put("count", engine.gpuCount());
        gpu.put("minCudaVersion", container.minCuda());
        return gpu;
    }

    /** What is known of the cards may be a table; a pool that it does not know is taken as it is. */
    private void checkCount(List<String> pools) {
        int most = pools.stream()
                .flatMap(pool -> catalog.in(pool).stream())
                .mapToInt(GpuType::maxCount)
                .max()
                .orElse(engine.gpuCount());
        if (engine.gpuCount() > most) {
            problems.add("gpuCount is " + engine.gpuCount() + " but a machine of RunPod has at most " + most + " x "
                    + engine.gpu() + "; lower it");
        }
    }

    /** Pools hold more than one type of card. */
    private List<String> others(List<String> pools) {
        return pools.stream()
                .flatMap(pool -> catalog.in(pool).stream())
                .filter(type -> !type.gpu().equalsIgnoreCase(engine.gpu()))
                .map(GpuType::id)
                .toList();
    }

    private void place(ObjectNode create) {
        List<String> dataCenters = spec.region().map(List::of).orElse(options.dataCenters());
        spec.region()
                .filter(region -> !RunPodOptions.DATA_CENTER.matcher(region).matches())
                .ifPresent(region -> problems.add("serverless region is '" + region
                        + "' but must be a data center such as US-KS-2; leave it unset for anywhere"));
        if (spec.region().isPresent() && !options.dataCenters().isEmpty()) {
            problems.add("serverless region is '" + spec.region().get() + "' and option data_centers is '"
                    + String.join(",", options.dataCenters()) + "'; set one of them");
        }
        ArrayNode places = create.putArray("dataCenterIds");
        dataCenters.forEach(places::add);
        if (!options.volumes().isEmpty()) {
            ArrayNode volumes = create.putArray("networkVolumes");
            options.volumes().forEach(volumes::add);
        }
    }

    // --- how much of it ---

    private void scaling(ObjectNode create) {
        ScalingPolicy.Serverless scaling = spec.scaling();
        create.putObject("workers")
                .put("min", scaling.workersMin())
                .put("max", scaling.workersMax())
                .put("idleTimeout", window());
        ObjectNode scaler = create.putObject("scaling");
        if (options.queue()) {
            scaler.put("type", "QUEUE_DELAY").put("queueDelay", scaling.scalerValue());
            return;
        }
        scaler.put("type", "REQUEST_COUNT").put("requestCount", scaling.concurrency());
        if (scaling.scalerValue() != DEFAULTS.scalerValue()) {
            problems.add("serverless.scaler_value is " + scaling.scalerValue()
                    + " but a load-balancing endpoint scales by serverless.concurrency; leave it at "
                    + DEFAULTS.scalerValue() + " or set the option endpoint_type to queue");
        } else {
            adaptations.add("a load-balancing endpoint scales by requests in flight (" + scaling.concurrency()
                    + " a worker), not by queue delay");
        }
    }

    private long window() {
        Duration window = spec.scaling().scaledownWindow();
        if (window.compareTo(SHORTEST_WINDOW) < 0 || window.compareTo(LONGEST_WINDOW) > 0) {
            problems.add("serverless.scaledown_window is " + window.toSeconds() + " s but RunPod takes 1 s to 3600 s");
        }
        return inSeconds(window);
    }

    private static long inSeconds(Duration time) {
        return time.plusSeconds(1).minusNanos(1).toSeconds();
    }

    private Duration timeout() {
        Duration timeout = spec.scaling().timeout();
        if (timeout.compareTo(SHORTEST_TIMEOUT) < 0 || timeout.compareTo(LONGEST_TIMEOUT) > 0) {
            problems.add("serverless.timeout is " + timeout.toSeconds() + " s but RunPod takes 5 s to 7 days");
            return timeout;
        }
        if (options.queue() || timeout.compareTo(LOAD_BALANCER_LIMIT) <= 0) {
            return timeout;
        }
        if (timeout.equals(DEFAULTS.timeout())) {
            adaptations.add("serverless.timeout is " + LOAD_BALANCER_LIMIT.toSeconds()
                    + " s instead of the default " + timeout.toSeconds()
                    + " s: RunPod's load balancer ends requests then");
        } else {
            problems.add("serverless.timeout is " + timeout.toSeconds()
                    + " s but RunPod's load balancer ends requests after "
                    + LOAD_BALANCER_LIMIT.toSeconds()
                    + " s; set it to that at most, or the option endpoint_type to queue");
        }
        return LOAD_BALANCER_LIMIT;
    }
}
