package dev.tuna.provider.baseten;

import dev.tuna.api.ConfigurationException;
import dev.tuna.provider.support.OptionReader;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What a request, or else the installation, says about a deployment on Baseten. Lists are separated by commas. Immutable.
 *
 * @param instanceType {@code instance_type}: Baseten's exact name of the machine, for instance {@code L4:4x16}; default the
 *     cheapest one with the GPUs and enough memory beside them
 * @param download {@code weights} is {@code download}: the engine fetches the model itself at every start; default
 *     {@code mount}: Baseten keeps a copy near the machines and mounts it
 * @param weightsSource {@code weights_source}: what to mount instead of the model's repository, for instance
 *     {@code s3://bucket/path}
 * @param weightsIgnore {@code weights_ignore}: patterns of files not to mount
 * @param revision {@code revision}: branch, tag or commit of the model; default the repository's main branch
 * @param tokenSecret {@code hf_secret}: a secret of the workspace with the token for the model, used as it is; default one
 *     that is made from the request's {@code HF_TOKEN}
 * @param registry {@code registry}: host of a private image's registry, with {@code registry_secret}
 * @param registrySecret {@code registry_secret}: a secret of the workspace with the registry's credential
 * @param olderDriver {@code older_driver} is {@code true}: vLLM's image for NVIDIA drivers before 580 is taken
 * @param reject {@code backpressure} is {@code reject}: requests without a free place fail at once; default {@code queue}
 * @param autoscalingWindow {@code autoscaling_window}: over which time traffic is averaged; default 60 s
 * @param utilization {@code target_utilization}: share of the concurrency, in percent, at which a replica is added;
 *     default 70
 * @param deployTimeout {@code deploy_timeout_minutes}: when Baseten gives a deployment up; default 60
 * @param placementLimit {@code placement_minutes}: how long a deployment may wait for a machine and its weights; default 30
 * @param startupLimit {@code startup_minutes}: how long the engine may take to start; default 30
 */
record BasetenOptions(
        Optional<String> instanceType,
        boolean download,
        Optional<String> weightsSource,
        List<String> weightsIgnore,
        Optional<String> revision,
        Optional<String> tokenSecret,
        Optional<String> registry,
        Optional<String> registrySecret,
        boolean olderDriver,
        boolean reject,
        Duration autoscalingWindow,
        int utilization,
        Duration deployTimeout,
        Duration placementLimit,
        Duration startupLimit) {

    /** What no engine reads; patterns match the top level only (docs.baseten.co/development/model/bdn). */
    private static final String USELESS = "*.md,*.h5,*.msgpack,*.onnx,*.pth,*.tflite";

    private static final String INSTANCE = "instance_type";
    private static final String WEIGHTS = "weights";
    private static final String SOURCE = "weights_source";
    private static final String IGNORE = "weights_ignore";
    private static final String REVISION = "revision";
    private static final String TOKEN = "hf_secret";
    private static final String REGISTRY = "registry";
    private static final String REGISTRY_SECRET = "registry_secret";
    private static final String DRIVER = "older_driver";
    private static final String BACKPRESSURE = "backpressure";
    private static final String WINDOW = "autoscaling_window";
    private static final String UTILIZATION = "target_utilization";
    private static final String DEPLOY = "deploy_timeout_minutes";
    private static final String PLACEMENT = "placement_minutes";
    private static final String STARTUP = "startup_minutes";
    static final List<String> KEYS = List.of(
            INSTANCE,
            WEIGHTS,
            SOURCE,
            IGNORE,
            REVISION,
            TOKEN,
            REGISTRY,
            REGISTRY_SECRET,
            DRIVER,
            BACKPRESSURE,
            WINDOW,
            UTILIZATION,
            DEPLOY,
            PLACEMENT,
            STARTUP);

    private static final int LONGEST_WINDOW = 3600;
    private static final int SHORTEST_WINDOW = 10;
    private static final int LONGEST_DEPLOY = 1440;
    /** Health checks allow 3000 s at the most. */
    private static final int LONGEST_STARTUP = 50;

    /** Copies the list. */
    BasetenOptions {
        weightsIgnore = List.copyOf(weightsIgnore);
    }

    /**
     * Reads the options in force.
     *
     * @param settings the installation's
     * @param request the request's, which win
     * @throws ConfigurationException naming every option at fault
     */
    static BasetenOptions of(Map<String, String> settings, Map<String, String> request) {
        var reader = new OptionReader(BasetenProvider.NAME, KEYS, BasetenSettings.KEYS, settings, request);
        Optional<String> instance = reader.matching(INSTANCE, "[A-Za-z0-9:_-]{1,64}", "a machine such as L4:4x16");
        String weights = reader.value(WEIGHTS, "mount").toLowerCase(Locale.ROOT);
        reader.check(weights.equals("mount") || weights.equals("download"), WEIGHTS, weights, "mount or download");
        Optional<String> source = reader.text(SOURCE);
        reader.each(
                SOURCE,
                source.stream().toList(),
                "(hf|s3|gs|azure|r2|cw|https)://[^/\\s]\\S*",
                "a URI such as s3://bucket/path");
        reader.check(
                source.isEmpty() || weights.equals("mount"),
                SOURCE,
                source.orElse(""),
                "left out if weights is download");
        Optional<String> revision = reader.text(REVISION);
        reader.each(REVISION, revision.stream().toList(), "[A-Za-z0-9._/-]{1,128}", "a branch, tag or commit");
        reader.check(
                revision.isEmpty() || source.isEmpty(),
                REVISION,
                revision.orElse(""),
                "left out if weights_source is set, which may end in @revision");
        Optional<String> token =
                reader.matching(TOKEN, WorkspaceSecret.NAME.pattern(), "the name of a secret of the workspace");
        Optional<String> registry = reader.text(REGISTRY);
        reader.each(REGISTRY, registry.stream().toList(), "[A-Za-z0-9.:/_-]{1,200}", "a registry's host");
        Optional<String> registrySecret = reader.text(REGISTRY_SECRET);
        reader.each(
                REGISTRY_SECRET,
                registrySecret.stream().toList(),
                WorkspaceSecret.NAME.pattern(),
                "the name of a secret of the workspace");
        reader.check(
                registry.isPresent() == registrySecret.isPresent(),
                REGISTRY,
                registry.orElse(""),
                "set if and only if registry_secret is");
        String driver = reader.value(DRIVER, "false").toLowerCase(Locale.ROOT);
        reader.check(driver.equals("true") || driver.equals("false"), DRIVER, driver, "true or false");
        String backpressure = reader.value(BACKPRESSURE, "queue").toLowerCase(Locale.ROOT);
        reader.check(
                backpressure.equals("queue") || backpressure.equals("reject"),
                BACKPRESSURE,
                backpressure,
                "queue or reject");
        int window = number(reader, WINDOW, 60, SHORTEST_WINDOW, LONGEST_WINDOW, "seconds");
        int utilization = number(reader, UTILIZATION, 70, 1, 100, "percent");
        int deploy = number(reader, DEPLOY, 60, 10, LONGEST_DEPLOY, "minutes");
        int placement = number(reader, PLACEMENT, 30, 1, LONGEST_DEPLOY, "minutes");
        int startup = number(reader, STARTUP, 30, 1, LONGEST_STARTUP, "minutes");
        reader.throwIfAny();
        return new BasetenOptions(
                instance,
                weights.equals("download"),
                source,
                reader.list(IGNORE, USELESS),
                revision,
                token,
                registry,
                registrySecret,
                driver.equals("true"),
                backpressure.equals("reject"),
                Duration.ofSeconds(window),
                utilization,
                Duration.ofMinutes(deploy),
                Duration.ofMinutes(placement),
                Duration.ofMinutes(startup));
    }

    private static int number(OptionReader reader, String key, int otherwise, int least, int most, String unit) {
        Optional<String> given = reader.text(key);
        boolean fits = given.map(text ->
                        text.matches("\\d{1,6}") && Integer.parseInt(text) >= least && Integer.parseInt(text) <= most)
                .orElse(true);
        reader.check(fits, key, given.orElse(""), least + " to " + most + " " + unit);
        return fits ? given.map(Integer::parseInt).orElse(otherwise) : otherwise;
    }
}
