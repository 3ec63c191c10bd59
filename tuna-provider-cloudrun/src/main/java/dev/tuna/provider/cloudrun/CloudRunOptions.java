package dev.tuna.provider.cloudrun;

import dev.tuna.api.ConfigurationException;
import dev.tuna.provider.support.OptionReader;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a request, or else the installation, says about a service on Cloud Run. Immutable.
 *
 * @param project {@code project}: id of the project; default {@code GOOGLE_CLOUD_PROJECT}, then the credential's own
 * @param region {@code region}: where, unless the request names a serverless region; default {@code GOOGLE_CLOUD_REGION},
 *     then one where the GPU is open to everybody
 * @param anyRegion {@code any_region}: {@code true} takes regions that are not known to have the GPU
 * @param engineKey {@code access} is {@code engine_key}: anybody may call the service, and the engine demands its key
 *     for {@code /v1} only; default {@code iam}: Cloud Run lets nobody through but callers with the role {@code roles/run.invoker}
 * @param invoker {@code invoker_service_account}: the account that the router calls the service as; default the
 *     credential's own
 * @param runtimeAccount {@code service_account}: the account that the container runs as; default the project's
 * @param cpu {@code cpu}: CPUs of a container; default by the GPU
 * @param memoryGib {@code memory_gib}: memory of a container, which also holds the files it downloads; default by the GPU
 * @param zonalRedundancy {@code zonal_redundancy}: {@code true} keeps capacity in a second zone, at a higher price; default
 *     {@code false}
 * @param cudaCompatibility {@code cuda_compatibility}: {@code true} has vLLM use the image's own CUDA compatibility libraries
 *     (its variable {@code VLLM_ENABLE_CUDA_COMPATIBILITY}), for images that find the host's driver too old; default
 *     {@code false}
 * @param startupSeconds {@code startup_limit_seconds}: how long a container may take to load the model, 60 to 1800; default
 *     1800
 * @param weightsBucket {@code weights_bucket}: a bucket in the same region that is mounted at {@code /weights}; the model is
 *     then read from there
 * @param weightsPath {@code weights_path}: the model's folder in the bucket; default the model's name
 * @param secretEnvironment {@code secret_manager_env}: variables whose values come from Secret Manager, as
 *     {@code HF_TOKEN=hf-token,OTHER=name:3}
 * @param network {@code network}: VPC network for direct egress
 * @param subnet {@code subnet}: its subnet
 */
record CloudRunOptions(
        Optional<String> project,
        Optional<String> region,
        boolean anyRegion,
        boolean engineKey,
        Optional<String> invoker,
        Optional<String> runtimeAccount,
        OptionalInt cpu,
        OptionalInt memoryGib,
        boolean zonalRedundancy,
        boolean cudaCompatibility,
        int startupSeconds,
        Optional<String> weightsBucket,
        Optional<String> weightsPath,
        Map<String, String> secretEnvironment,
        Optional<String> network,
        Optional<String> subnet) {

    /** Failure threshold times period of the startup probe of a service with a GPU (docs.cloud.google.com, health checks). */
    static final int LONGEST_STARTUP = 1800;

    private static final String PROJECT = "project";
    private static final String REGION = "region";
    private static final String ANY_REGION = "any_region";
    private static final String ACCESS = "access";
    private static final String INVOKER = "invoker_service_account";
    private static final String RUNTIME_ACCOUNT = "service_account";
    private static final String CPU = "cpu";
    private static final String MEMORY = "memory_gib";
    private static final String REDUNDANCY = "zonal_redundancy";
    private static final String COMPATIBILITY = "cuda_compatibility";
    private static final String STARTUP = "startup_limit_seconds";
    private static final String BUCKET = "weights_bucket";
    private static final String PATH = "weights_path";
    private static final String SECRET_ENV = "secret_manager_env";
    private static final String NETWORK = "network";
    private static final String SUBNET = "subnet";
    private static final List<String> KEYS = List.of(
            PROJECT,
            REGION,
            ANY_REGION,
            ACCESS,
            INVOKER,
            RUNTIME_ACCOUNT,
            CPU,
            MEMORY,
            REDUNDANCY,
            COMPATIBILITY,
            STARTUP,
            BUCKET,
            PATH,
            SECRET_ENV,
            NETWORK,
            SUBNET);

    private static final String EMAIL = "[^@\\s]+@[^@\\s]+\\.gserviceaccount\\.com";
    private static final String REGION_NAME = "[a-z]+-[a-z]+\\d{1,2}";

    /** Copies the map. */
    CloudRunOptions {
        secretEnvironment = Map.copyOf(secretEnvironment);
    }

    /**
     * Reads the options in force.
     *
     * @param settings the installation's
     * @param request the request's, which win
     * @throws ConfigurationException naming every option at fault
     */
    static CloudRunOptions of(Map<String, String> settings, Map<String, String> request) {
        var reader = new OptionReader(CloudRunProvider.NAME, KEYS, CloudRunSettings.KEYS, settings, request);
        var options = new CloudRunOptions(
                reader.matching(PROJECT, "([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]", "a project's id"),
                reader.matching(REGION, REGION_NAME, "a region such as us-east4"),
                flag(reader, ANY_REGION),
                reader.matching(ACCESS, "iam|engine_key", "iam or engine_key")
                        .filter("engine_key"::equals)
                        .isPresent(),
                reader.matching(INVOKER, EMAIL, "a service account such as router@my-project.iam.gserviceaccount.com"),
                reader.matching(RUNTIME_ACCOUNT, EMAIL, "a service account's e-mail address"),
                number(reader, CPU, 1, 99),
                number(reader, MEMORY, 1, 999),
                flag(reader, REDUNDANCY),
                flag(reader, COMPATIBILITY),
                number(reader, STARTUP, 60, LONGEST_STARTUP).orElse(LONGEST_STARTUP),
                reader.matching(BUCKET, "[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]", "a bucket's name"),
                reader.matching(PATH, "[^/\\s][^\\s]*", "a folder such as models/Qwen3-8B"),
                secretEnvironment(reader),
                reader.matching(NETWORK, "\\S+", "a VPC network"),
                reader.matching(SUBNET, "\\S+", "a subnet"));
        if (options.weightsPath.isPresent() && options.weightsBucket.isEmpty()) {
            reader.add("option " + PATH + " is set without " + BUCKET + "; set both or none");
        }
        reader.throwIfAny();
        return options;
    }

    private static Map<String, String> secretEnvironment(OptionReader reader) {
        Map<String, String> environment = new LinkedHashMap<>();
        for (String entry : reader.value(SECRET_ENV, "").split(",")) {
            String[] parts = entry.strip().split("=", 2);
            if (parts.length == 2
                    && parts[0].matches("[A-Za-z_][A-Za-z0-9_]*")
                    && parts[1].matches("(projects/[^/\\s]+/secrets/)?[A-Za-z0-9_-]+(:[A-Za-z0-9]+)?")) {
                environment.put(parts[0], parts[1]);
            } else if (!entry.isBlank()) {
                reader.add("option " + SECRET_ENV + " has '" + entry.strip()
                        + "' but must be a list such as HF_TOKEN=hf-token,OTHER=name:3");
            }
        }
        return environment;
    }

    private static boolean flag(OptionReader reader, String key) {
        String given = reader.text(key).orElse("").toLowerCase(Locale.ROOT);
        reader.check(given.isEmpty() || given.equals("true") || given.equals("false"), key, given, "true or false");
        return given.equals("true");
    }

    private static OptionalInt number(OptionReader reader, String key, int least, int most) {
        String allowed = "a whole number, " + least + " to " + most;
        Optional<Integer> number = reader.matching(key, "\\d{1,6}", allowed).map(Integer::valueOf);
        number.ifPresent(given -> reader.check(given >= least && given <= most, key, given, allowed));
        return number.map(OptionalInt::of).orElseGet(OptionalInt::empty);
    }
}
