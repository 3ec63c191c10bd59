package dev.tuna.provider.runpod;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.vllm.VllmCommand;
import dev.tuna.provider.support.vllm.VllmVersion;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ServerlessSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * What a worker runs: the stock vLLM image with its arguments behind the load balancer, RunPod's worker with its
 * environment behind the queue. Confined to one planning.
 */
final class EngineContainer {

    private static final int PORT = 8000;

    /** Every variable that is set here; others are the request's secrets. */
    private static final Set<String> PLAIN = Set.of(
            "PORT",
            "PORT_HEALTH",
            "MODEL_NAME",
            "OPENAI_SERVED_MODEL_NAME_OVERRIDE",
            "MAX_MODEL_LEN",
            "TENSOR_PARALLEL_SIZE",
            "MAX_CONCURRENCY",
            "ENFORCE_EAGER",
            "QUANTIZATION",
            "VLLM_EXTRA_ARGS");

    /**
     * Images up to about this version begin with a program that takes the model by its option only, and RunPod cannot be
     * told to begin with another one; {@code vllm serve} of those versions takes it so as well.
     */
    private static final VllmVersion NAMELESS_SINCE = new VllmVersion(0, 13, 0);

    /** How long a worker that must go may finish its answers, if RunPod gives it the time, which it does not document. */
    private static final Duration SHUTDOWN = Duration.ofSeconds(30);

    private final ServerlessSpec spec;
    private final EngineSpec engine;
    private final RunPodOptions options;
    private final List<String> problems;
    private final List<String> adaptations;
    private final boolean olderDriver;
    private final Optional<VllmCommand> command;
    private final EngineImage image;

    /**
     * @param problems gets what cannot be honoured
     * @param adaptations gets what is done otherwise
     */
    EngineContainer(ServerlessSpec spec, RunPodOptions options, List<String> problems, List<String> adaptations) {
        this.spec = spec;
        this.engine = spec.engine();
        this.options = options;
        this.problems = problems;
        this.adaptations = adaptations;
        this.olderDriver = options.minCuda().filter(EngineImage::isOlderDriver).isPresent();
        this.command = command();
        this.image = image();
        checkCuda();
    }

    private Optional<VllmCommand> command() {
        VllmCommand.Builder builder = VllmCommand.builder(engine).port(PORT).shutdownTimeout(SHUTDOWN);
        try {
            return Optional.of((olderDriver ? builder.olderDriver() : builder).build());
        } catch (ConfigurationException e) {
            problems.addAll(e.problems());
            return Optional.empty();
        }
    }

    private EngineImage image() {
        VllmVersion version = command.map(VllmCommand::version).orElse(VllmVersion.CURRENT);
        if (engine.containerImage().isPresent()) {
            return new EngineImage(
                    engine.containerImage().get(), options.minCuda().orElse(EngineImage.minCuda(version, false)));
        }
        return options.queue()
                ? worker(version)
                : new EngineImage(
                        command.map(VllmCommand::image).orElse(""), EngineImage.minCuda(version, olderDriver));
    }

    /** Other tiers run the version that the request names, so it has to be one that RunPod's worker was released with. */
    private EngineImage worker(VllmVersion version) {
        return EngineImage.worker(version.toString()).orElseGet(() -> {
            problems.add(
                    "vLLM is " + version + (engine.version().isPresent() ? "" : " by default")
                            + " but RunPod's queue worker has one of " + String.join(", ", EngineImage.workerVersions())
                            + "; set engineVersion to one of these, for every tier, or the option endpoint_type to load_balancer");
            return new EngineImage("", EngineImage.minCuda(version, false));
        });
    }

    private void checkCuda() {
        options.minCuda()
                .filter(cuda -> EngineImage.isBelow(cuda, image.minCuda()))
                .ifPresent(cuda -> problems.add("option min_cuda is " + cuda + " but the image " + image.name()
                        + " needs " + image.minCuda() + "; leave it out or raise it"));
    }

    String minCuda() {
        return options.minCuda().orElse(image.minCuda());
    }

    /** Whether a variable is one of those written here, and so holds no secret. */
    static boolean isPlain(String variable) {
        return PLAIN.contains(variable) || variable.startsWith("TUNA_");
    }

    /**
     * Writes what runs into the request.
     *
     * @param variables environment beside the engine's own
     * @return which secret stands at which variable
     */
    Map<String, SecretRef> describe(ObjectNode create, Map<String, String> variables) {
        create.put("image", image.name());
        Map<String, String> environment = new TreeMap<>(variables);
        if (options.queue()) {
            environment.putAll(workerEnvironment());
        } else {
            create.put("args", arguments());
            create.putArray("ports").add(PORT + "/http");
            environment.put("PORT", Integer.toString(PORT));
            environment.put("PORT_HEALTH", Integer.toString(PORT));
        }
        Map<String, SecretRef> secrets = addSecrets(environment);
        ObjectNode env = create.putObject("env");
        environment.forEach(env::put);
        return secrets;
    }

    /** How RunPod splits this string is not documented, so nothing goes into it that quoting would matter to. */
    private String arguments() {
        List<String> words = new ArrayList<>(command.map(VllmCommand::arguments).orElse(List.of()));
        if (command.map(VllmCommand::version).filter(NAMELESS_SINCE::isBefore).isEmpty() && !words.isEmpty()) {
            words.add(0, "--model");
        }
        checkPlain(words);
        return String.join(" ", words);
    }

    private void checkPlain(List<String> words) {
        words.stream()
                .filter(word -> !word.matches("[!#-&(-\\[\\]-~]+"))
                .forEach(word ->
                        problems.add("engine argument '" + word + "' has a blank, a quote or a backslash, and how"
                                + " RunPod splits arguments is not documented; put it into a vLLM config file"));
    }

    private Map<String, String> workerEnvironment() {
        Map<String, String> environment = new LinkedHashMap<>();
        environment.put("MODEL_NAME", engine.model());
        environment.put("OPENAI_SERVED_MODEL_NAME_OVERRIDE", engine.servedModelName());
        environment.put("MAX_MODEL_LEN", Integer.toString(engine.maxModelLen()));
        environment.put("TENSOR_PARALLEL_SIZE", Integer.toString(engine.tpSize()));
        environment.put("MAX_CONCURRENCY", Integer.toString(spec.scaling().concurrency()));
        environment.put("ENFORCE_EAGER", Boolean.toString(engine.fastBoot()));
        engine.quantization().ifPresent(method -> environment.put("QUANTIZATION", method));
        List<String> further = further();
        checkPlain(further);
        if (!further.isEmpty()) {
            environment.put("VLLM_EXTRA_ARGS", String.join(" ", further));
        }
        return environment;
    }

    /** The request's own arguments, and half precision where the GPU needs it. */
    private List<String> further() {
        List<String> words = command.map(VllmCommand::arguments).orElse(List.of());
        List<String> further = new ArrayList<>(engine.arguments());
        int dtype = words.indexOf("--dtype");
        if (dtype >= 0 && !further.contains("--dtype")) {
            further.addAll(words.subList(dtype, dtype + 2));
        }
        return further;
    }

    /** The engine demands no key of its own: a request has one place for a key, and RunPod looks there for its own. */
    private Map<String, SecretRef> addSecrets(Map<String, String> environment) {
        Map<String, SecretRef> secrets = new TreeMap<>();
        new TreeMap<>(engine.secrets()).forEach((variable, ref) -> {
            String as = variable;
            if (options.queue() && variable.equals("HF_TOKEN")) {
                as = "HUGGING_FACE_HUB_TOKEN";
                adaptations.add(
                        "HF_TOKEN is handed over as " + as + ": RunPod's worker prints the other one in its log");
            }
            if (environment.putIfAbsent(as, EndpointPlan.MASK) != null) {
                problems.add("secret '" + variable + "' cannot be set: the endpoint needs " + as + " for itself");
            }
            secrets.put(as, ref);
        });
        return secrets;
    }
}
