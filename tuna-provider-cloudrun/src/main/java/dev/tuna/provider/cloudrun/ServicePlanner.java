package dev.tuna.provider.cloudrun;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.vllm.VllmCommand;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/** Turns a spec into the service that Cloud Run will be sent. Confined to one planning; reads nothing but its arguments. */
final class ServicePlanner {

    /** Cloud Run ends a request after an hour at the latest (docs.cloud.google.com/run/quotas). */
    private static final Duration LONGEST_TIMEOUT = Duration.ofHours(1);

    private static final int MOST_CONCURRENCY = 1000;

    /** An idle instance stays up to 15 minutes, and there is no setting for it (docs.cloud.google.com, instance autoscaling). */
    static final Duration IDLE_WINDOW = Duration.ofMinutes(15);

    /** An instance is ended 10 s after it was told so. */
    private static final Duration SHUTDOWN = Duration.ofSeconds(8);

    /** What the engine's key guards, from vLLM's own page on security. */
    static final String OPEN =
            "anybody may call the service; the router sends the engine's key, which vLLM demands for /v1"
                    + " but not for other paths such as /invocations, /score, /tokenize and /metrics";

    private static final int PORT = 8000;
    private static final int PROBE_PERIOD = 10;
    private static final String WEIGHTS = "weights";
    private static final ScalingPolicy.Serverless DEFAULTS =
            ScalingPolicy.Serverless.builder().build();

    private final ServerlessSpec spec;
    private final CloudRunOptions options;
    private final Optional<String> project;
    private final Optional<String> usualRegion;
    private final String owner;
    private final List<String> problems = new ArrayList<>();
    private final List<String> adaptations = new ArrayList<>();
    private final Map<String, SecretRef> secrets = new TreeMap<>();

    private ServicePlanner(
            ServerlessSpec spec,
            CloudRunOptions options,
            Optional<String> project,
            Optional<String> usualRegion,
            String owner) {
        this.spec = spec;
        this.options = options;
        this.project = project;
        this.usualRegion = usualRegion;
        this.owner = owner;
    }

    /**
     * Plans.
     *
     * @param project the project, if it is known
     * @param usualRegion where, if neither request nor options say so
     * @throws ConfigurationException naming everything that cannot be honoured
     */
    static ServerlessPlan plan(
            ServerlessSpec spec,
            CloudRunOptions options,
            Optional<String> project,
            Optional<String> usualRegion,
            String owner) {
        return new ServicePlanner(spec, options, project, usualRegion, owner).plan();
    }

    private ServerlessPlan plan() {
        Optional<GpuType> gpu = gpu();
        if (project.isEmpty()) {
            problems.add("the project is not known; set the option project, or the variable GOOGLE_CLOUD_PROJECT");
        }
        Place place = new Place(
                project.orElse("unknown"),
                gpu.map(this::region).orElse("unknown"),
                Place.serviceName(spec.deployment(), owner));
        VllmCommand command = command(gpu);
        ObjectNode service = ServicePlan.JSON.createObjectNode();
        service.putObject("labels")
                .put("managed-by", "tuna")
                .put(Service.OWNER, owner)
                .put(Service.DEPLOYMENT, spec.deployment());
        service.put("client", "tuna");
        service.put("ingress", "INGRESS_TRAFFIC_ALL");
        service.put("invokerIamDisabled", openToAll());
        ObjectNode template = service.putObject("template");
        gpu.ifPresent(type -> describe(template, type, command));
        options.invoker().ifPresent(email -> service.putObject("annotations").put(Service.INVOKER, email));
        if (options.engineKey()
                && !spec.publicAccess()
                && spec.engine().apiKey().isEmpty()) {
            problems.add("option access is 'engine_key' but the engine has no key; leave it at iam");
        }
        if (!problems.isEmpty()) {
            throw new ConfigurationException(ErrorCode.INVALID_REQUEST, "provider cloudrun", problems);
        }
        sign(service, template);
        tellAccess();
        return new ServerlessPlan(
                        spec.deployment(),
                        place.resource(),
                        summary(place, command),
                        new ServicePlan(place, service, secrets).text(),
                        adaptations)
                .withIdleWindow(IDLE_WINDOW);
    }

    /** A revision says which plan it is from and who may call it, so that it can be gone back to. */
    private void sign(ObjectNode service, ObjectNode template) {
        String digest = Place.digest(service + "|" + secrets).substring(0, 32);
        service.withObject("/annotations").put(Service.PLAN, digest);
        template.withObject("/annotations")
                .put(Service.PLAN, digest)
                .put(Service.ACCESS, openToAll() ? Service.ENGINE_KEY : Service.IAM);
    }

    private String summary(Place place, VllmCommand command) {
        return "Service " + place.service() + " in " + place.region() + " of project " + place.project() + " for "
                + spec.engine().model() + " on one " + spec.engine().gpu() + ", "
                + spec.scaling().workersMin() + " to " + spec.scaling().workersMax() + " instances, image "
                + command.image() + ", " + (openToAll() ? "guarded by the engine's key" : "guarded by IAM");
    }

    // --- on what ---

    private Optional<GpuType> gpu() {
        EngineSpec engine = spec.engine();
        Optional<GpuType> type = GpuType.of(engine.gpu());
        if (type.isEmpty()) {
            problems.add("gpu is '" + engine.gpu() + "' but Cloud Run has " + String.join(", ", GpuType.names())
                    + "; choose one of these");
        }
        if (engine.gpuCount() != 1) {
            problems.add("gpuCount is " + engine.gpuCount() + " but a container on Cloud Run has 1 GPU");
        }
        return type;
    }

    private String region(GpuType gpu) {
        String region = spec.region()
                .or(options::region)
                .or(() -> usualRegion.filter(gpu.regions()::contains))
                .orElse(gpu.regions().get(0));
        if (spec.region().isPresent()
                && options.region().isPresent()
                && !spec.region().equals(options.region())) {
            problems.add("serverless region is '" + region + "' and option region is '"
                    + options.region().get() + "'; set one of them");
        }
        if (!gpu.regions().contains(region) && !options.anyRegion()) {
            problems.add("region is '" + region + "' but Cloud Run has " + gpu.gpu() + " in "
                    + String.join(", ", gpu.regions())
                    + "; choose one of these, or set the option any_region to true if it has been added since");
        }
        return region;
    }

    private ObjectNode resources(GpuType gpu) {
        int cpu = options.cpu().orElse(gpu.cpu());
        int memory = options.memoryGib().orElse(gpu.memoryGib());
        if (cpu < gpu.minCpu()) {
            problems.add("option cpu is " + cpu + " but must be " + gpu.minCpu() + " or more with " + gpu.gpu());
        }
        if (memory < gpu.minMemoryGib()) {
            problems.add("option memory_gib is " + memory + " but must be " + gpu.minMemoryGib() + " or more with "
                    + gpu.gpu());
        }
        ObjectNode resources = ServicePlan.JSON.createObjectNode();
        resources
                .putObject("limits")
                .put("cpu", Integer.toString(cpu))
                .put("memory", memory + "Gi")
                .put("nvidia.com/gpu", "1");
        // Services with a GPU are billed by the instance, and are refused otherwise.
        resources.put("cpuIdle", false).put("startupCpuBoost", true);
        return resources;
    }

    // --- what runs ---

    private VllmCommand command(Optional<GpuType> gpu) {
        VllmCommand.Builder builder = VllmCommand.builder(engine()).port(PORT).shutdownTimeout(SHUTDOWN);
        if (gpu.filter(GpuType::olderDriver).isPresent()) {
            builder.olderDriver();
        }
        return builder.build();
    }

    /** Where IAM guards the service the engine demands nothing: a request carries one credential. */
    private EngineSpec engine() {
        EngineSpec engine = spec.engine();
        String model = options.weightsBucket()
                .map(bucket -> "/" + WEIGHTS + "/" + options.weightsPath().orElse(engine.model()))
                .orElse(engine.model());
        return new EngineSpec(
                model,
                engine.servedModelName(),
                engine.gpu(),
                engine.computeCapability(),
                engine.gpuCount(),
                engine.tpSize(),
                engine.maxModelLen(),
                engine.quantization(),
                engine.fastBoot(),
                engine.version(),
                engine.arguments(),
                engine.containerImage(),
                openToAll() ? engine.apiKey() : Optional.empty(),
                engine.secrets());
    }

    private void describe(ObjectNode template, GpuType gpu, VllmCommand command) {
        scaling(template);
        template.put("timeout", timeout().toSeconds() + "s");
        template.putObject("nodeSelector").put("accelerator", gpu.accelerator());
        template.put("gpuZonalRedundancyDisabled", !options.zonalRedundancy());
        options.runtimeAccount().ifPresent(email -> template.put("serviceAccount", email));
        network(template);
        ObjectNode container = template.putArray("containers").addObject();
        container.put("image", command.image());
        if (spec.engine().containerImage().isEmpty()) {
            // Older images begin with a program of another name, which takes no model as its first word.
            container.putArray("command").add("vllm").add("serve");
        }
        ArrayNode arguments = container.putArray("args");
        command.arguments().forEach(arguments::add);
        container.putArray("ports").addObject().put("containerPort", PORT);
        environment(container.putArray("env"), command.environment());
        container.set("resources", resources(gpu));
        container.set("startupProbe", startupProbe());
        options.weightsBucket().ifPresent(bucket -> {
            template.putArray("volumes")
                    .addObject()
                    .put("name", WEIGHTS)
                    .putObject("gcs")
                    .put("bucket", bucket)
                    .put("readOnly", true);
            container.putArray("volumeMounts").addObject().put("name", WEIGHTS).put("mountPath", "/" + WEIGHTS);
        });
    }

    private void network(ObjectNode template) {
        if (options.network().isPresent() || options.subnet().isPresent()) {
            ObjectNode network = ServicePlan.JSON.createObjectNode();
            options.network().ifPresent(name -> network.put("network", name));
            options.subnet().ifPresent(name -> network.put("subnetwork", name));
            ObjectNode access = template.putObject("vpcAccess");
            access.putArray("networkInterfaces").add(network);
            access.put("egress", "PRIVATE_RANGES_ONLY");
        }
    }

    private void environment(ArrayNode env, Map<String, SecretRef> values) {
        if (options.cudaCompatibility()) {
            env.addObject().put("name", "VLLM_ENABLE_CUDA_COMPATIBILITY").put("value", "1");
        }
        var names = new TreeSet<>(values.keySet());
        names.addAll(options.secretEnvironment().keySet());
        for (String name : names) {
            String managed = options.secretEnvironment().get(name);
            SecretRef ref = values.get(name);
            if (name.equals("PORT") || name.startsWith("K_")) {
                problems.add("secret '" + name + "' cannot be set: Cloud Run sets it itself");
            } else if (managed != null && ref != null) {
                problems.add("variable '" + name + "' is in secrets and in option secret_manager_env; set one of them");
            } else if (managed != null) {
                String[] parts = managed.split(":", 2);
                env.addObject()
                        .put("name", name)
                        .putObject("valueSource")
                        .putObject("secretKeyRef")
                        .put("secret", parts[0])
                        .put("version", parts.length > 1 ? parts[1] : "latest");
            } else if (ref != null) {
                env.addObject().put("name", name).put("value", ServicePlan.MASK);
                secrets.put(name, ref);
            }
        }
    }

    /** Within what a service with a GPU may take; the engine opens its port when the model is loaded. */
    private ObjectNode startupProbe() {
        ObjectNode probe = ServicePlan.JSON.createObjectNode();
        probe.put("periodSeconds", PROBE_PERIOD).put("timeoutSeconds", 5);
        probe.put("failureThreshold", options.startupSeconds() / PROBE_PERIOD);
        probe.putObject("httpGet").put("path", "/health").put("port", PORT);
        return probe;
    }

    // --- how much of it, and for whom ---

    private void scaling(ObjectNode template) {
        ScalingPolicy.Serverless scaling = spec.scaling();
        // Absent or 0 would mean 100.
        template.putObject("scaling")
                .put("minInstanceCount", scaling.workersMin())
                .put("maxInstanceCount", scaling.workersMax());
        template.put("maxInstanceRequestConcurrency", scaling.concurrency());
        if (scaling.concurrency() > MOST_CONCURRENCY) {
            problems.add("serverless.concurrency is " + scaling.concurrency() + " but Cloud Run takes "
                    + MOST_CONCURRENCY + " at most");
        }
        fixed(
                scaling.scaledownWindow().equals(DEFAULTS.scaledownWindow()),
                scaling.scaledownWindow().equals(IDLE_WINDOW),
                "serverless.scaledown_window is " + scaling.scaledownWindow().toSeconds() + " s",
                "Cloud Run keeps an idle instance, and bills it, for up to " + IDLE_WINDOW.toSeconds()
                        + " s, and has no setting for it");
        fixed(
                scaling.scalerValue() == DEFAULTS.scalerValue(),
                false,
                "serverless.scaler_value is " + scaling.scalerValue(),
                "Cloud Run scales by requests in flight (serverless.concurrency, " + scaling.concurrency()
                        + " an instance), not by queue delay");
    }

    /** What the cloud does not let anybody choose: a default is adapted, a choice is refused. */
    private void fixed(boolean isDefault, boolean isWhatItDoes, String value, String rule) {
        if (isDefault) {
            adaptations.add(rule);
        } else if (!isWhatItDoes) {
            problems.add(value + " but " + rule + "; leave it unset");
        }
    }

    private Duration timeout() {
        Duration timeout = spec.scaling().timeout();
        if (timeout.compareTo(Duration.ofSeconds(1)) < 0 || timeout.compareTo(LONGEST_TIMEOUT) > 0) {
            problems.add("serverless.timeout is " + timeout.toSeconds() + " s but Cloud Run takes 1 s to "
                    + LONGEST_TIMEOUT.toSeconds() + " s");
        }
        return timeout;
    }

    private boolean openToAll() {
        return spec.publicAccess() || options.engineKey();
    }

    private void tellAccess() {
        if (openToAll()) {
            adaptations.add(OPEN);
        }
    }
}
