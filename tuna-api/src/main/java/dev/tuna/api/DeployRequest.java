package dev.tuna.api;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/**
 * One model to be served under one name: what to run, where it may run and how far it may grow. Immutable.
 *
 * <pre>{@code
 * DeployRequest request = DeployRequest.builder("Qwen/Qwen3-0.6B", "L4").serviceName("chat").build();
 * }</pre>
 *
 * @param model Hugging Face id or path of the model, for instance {@code Qwen/Qwen3-0.6B}
 * @param gpu GPU name or alias, case-insensitive, for instance {@code L4} or {@code A100-80GB}
 * @param gpuCount GPUs of one machine, 1 or more; default 1
 * @param serverlessProviders serverless providers in order of preference; empty, the default, chooses the
 *     cheapest usable one
 * @param providerOptions settings for single providers: provider name, then key (visible ASCII), then value; default
 *     empty
 * @param serverlessRegion region of the serverless endpoint; default the provider's own
 * @param spotCloud provider of rented replicas; default the only one on the class path
 * @param spotRegions regions in which replicas may be rented; empty, the default, means the provider's own
 *     choice
 * @param tpSize tensor-parallel size, 1 to {@code gpuCount}; default {@code gpuCount}
 * @param maxModelLen context window in tokens, 1 or more; default 4096
 * @param quantization quantization method handed to the engine; default none
 * @param coldStartMode what the serverless tier trades when it starts cold; default {@link
 *     ColdStartMode#FAST_BOOT}
 * @param engineVersion version of the model server, the same on every tier; default the newest one known to
 *     work
 * @param engineArguments further arguments for the model server, one word each; default none
 * @param containerImage container image to run instead of the engine's own; default none
 * @param scaling how many machines, and how fast that changes; default {@link ScalingPolicy#DEFAULT}
 * @param serviceName name of the deployment: 1 to 40 characters, lower-case letters, digits and inner hyphens,
 *     first a letter (what the strictest provider takes, with room for suffixes); default {@code tuna-} and 8 hex
 *     digits
 * @param publicAccess whether the endpoint answers without a key; default false
 * @param serverlessOnly whether to do without rented replicas; default false
 * @param noScaleToZero keeps at least one spot replica and one serverless worker always on and a scale-down
 *     window of at least 300 s, see {@link #effectiveScaling()}; default false
 * @param routerPlacement where the endpoint runs; default {@link RouterPlacement#EMBEDDED}
 * @param secrets environment variables of the model server whose values are secrets, for instance {@code
 *     HF_TOKEN}; default none
 * @param budget what this deployment may cost, and what happens when it costs more; default {@link Budget#NONE}
 */
public record DeployRequest(
        String model,
        String gpu,
        int gpuCount,
        List<String> serverlessProviders,
        Map<String, Map<String, String>> providerOptions,
        Optional<String> serverlessRegion,
        Optional<String> spotCloud,
        List<String> spotRegions,
        OptionalInt tpSize,
        int maxModelLen,
        Optional<String> quantization,
        ColdStartMode coldStartMode,
        Optional<String> engineVersion,
        List<String> engineArguments,
        Optional<String> containerImage,
        ScalingPolicy scaling,
        Optional<String> serviceName,
        boolean publicAccess,
        boolean serverlessOnly,
        boolean noScaleToZero,
        RouterPlacement routerPlacement,
        Map<String, SecretRef> secrets,
        Budget budget) {

    /** Scale-down window that {@link #noScaleToZero()} raises a shorter one to. */
    public static final Duration NO_SCALE_TO_ZERO_WINDOW = Duration.ofMinutes(5);

    private static final Pattern NAME = Pattern.compile("[a-z]([a-z0-9-]{0,38}[a-z0-9])?");
    private static final Pattern OPTION = Pattern.compile("[!-~]{1,128}");
    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

    /** Copies collections and checks every field, reporting all problems at once. */
    public DeployRequest {
        serverlessProviders = List.copyOf(serverlessProviders);
        providerOptions = copy(providerOptions);
        spotRegions = List.copyOf(spotRegions);
        engineArguments = List.copyOf(engineArguments);
        secrets = Map.copyOf(secrets);
        Objects.requireNonNull(budget, "budget");
        var problems = new Problems("deploy request");
        problems.notBlank("model", model, "Qwen/Qwen3-0.6B");
        problems.notBlank("gpu", gpu, "L4");
        problems.atLeast("gpuCount", gpuCount, 1);
        problems.atLeast("maxModelLen", maxModelLen, 1);
        tpSize.ifPresent(size ->
                problems.check(size >= 1 && size <= gpuCount, "tpSize", size, "1 to gpuCount (" + gpuCount + ")"));
        serviceName.ifPresent(name -> problems.check(
                NAME.matcher(name).matches(),
                "serviceName",
                name,
                "1 to 40 lower-case letters, digits and inner hyphens, first a letter"));
        serverlessProviders.forEach(name -> problems.notBlank("serverlessProviders", name, "runpod"));
        problems.check(
                serverlessProviders.stream().distinct().count() == serverlessProviders.size(),
                "serverlessProviders",
                serverlessProviders,
                "free of repetitions");
        spotRegions.forEach(region -> problems.notBlank("spotRegions", region, "us-east-1"));
        serverlessRegion.ifPresent(region -> problems.notBlank("serverlessRegion", region, "us-central1"));
        spotCloud.ifPresent(cloud -> problems.notBlank("spotCloud", cloud, "aws"));
        quantization.ifPresent(method -> problems.notBlank("quantization", method, "awq"));
        engineVersion.ifPresent(version -> problems.notBlank("engineVersion", version, "0.31.0"));
        containerImage.ifPresent(image -> problems.notBlank("containerImage", image, "vllm/vllm-openai:v0.31.0"));
        providerOptions.forEach((provider, settings) -> {
            problems.check(OPTION.matcher(provider).matches(), "providerOptions", provider, "the name of a provider");
            settings.keySet()
                    .forEach(key -> problems.check(
                            OPTION.matcher(key).matches(),
                            "providerOptions." + provider,
                            key,
                            "a key of 1 to 128 visible ASCII characters"));
        });
        secrets.keySet()
                .forEach(variable -> problems.check(
                        VARIABLE.matcher(variable).matches(),
                        "secrets",
                        variable,
                        "an environment variable name such as HF_TOKEN"));
        problems.check(
                !serverlessOnly || (spotCloud.isEmpty() && spotRegions.isEmpty()),
                "serverlessOnly",
                serverlessOnly,
                "false when spotCloud or spotRegions is set");
        problems.throwIfAny();
    }

    /**
     * Starts a request with the two things that have no default.
     *
     * @param model Hugging Face id or path of the model
     * @param gpu GPU name or alias
     * @return a builder with every other default
     */
    public static Builder builder(String model, String gpu) {
        return new Builder(model, gpu);
    }

    /**
     * A builder with these values.
     *
     * @return a new builder
     */
    public Builder toBuilder() {
        var builder = new Builder(model, gpu);
        builder.gpuCount = gpuCount;
        builder.serverlessProviders = serverlessProviders;
        builder.providerOptions = providerOptions;
        builder.serverlessRegion = serverlessRegion;
        builder.spotCloud = spotCloud;
        builder.spotRegions = spotRegions;
        builder.tpSize = tpSize;
        builder.maxModelLen = maxModelLen;
        builder.quantization = quantization;
        builder.coldStartMode = coldStartMode;
        builder.engineVersion = engineVersion;
        builder.engineArguments = engineArguments;
        builder.containerImage = containerImage;
        builder.scaling = scaling;
        builder.serviceName = serviceName;
        builder.publicAccess = publicAccess;
        builder.serverlessOnly = serverlessOnly;
        builder.noScaleToZero = noScaleToZero;
        builder.routerPlacement = routerPlacement;
        builder.secrets = secrets;
        builder.budget = budget;
        return builder;
    }

    /**
     * The tensor-parallel size in force.
     *
     * @return {@link #tpSize()}, or {@link #gpuCount()} if none was set
     */
    public int effectiveTpSize() {
        return tpSize.orElse(gpuCount);
    }

    /**
     * The scaling policy in force, after {@link #noScaleToZero()} and {@link #serverlessOnly()} had their effect.
     *
     * <p>Without scale to zero: at least one spot replica, at least one serverless worker always on, and a scale-down
     * window of at least {@link #NO_SCALE_TO_ZERO_WINDOW}. With serverless only: no spot replicas, and none of them
     * billed. Where no limit of serverless containers was set, there may be as many as spot replicas (at least one), so that
     * they can carry what the fleet drops.
     *
     * @return the policy that core and plugins follow
     */
    public ScalingPolicy effectiveScaling() {
        ScalingPolicy.Spot spot = scaling.spot();
        ScalingPolicy.Serverless serverless = scaling.serverless();
        if (serverless.workersLimit().isEmpty()) {
            int fleet = Math.max(1, spot.maxReplicas());
            serverless = serverless.toBuilder()
                    .workersMax(Math.max(fleet, serverless.workersMin()))
                    .build();
        }
        if (noScaleToZero) {
            spot = spot.toBuilder()
                    .minReplicas(Math.max(1, spot.minReplicas()))
                    .maxReplicas(Math.max(1, spot.maxReplicas()))
                    .build();
            Duration window = serverless.scaledownWindow();
            serverless = serverless.toBuilder()
                    .workersMin(Math.max(1, serverless.workersMin()))
                    .scaledownWindow(window.compareTo(NO_SCALE_TO_ZERO_WINDOW) < 0 ? NO_SCALE_TO_ZERO_WINDOW : window)
                    .build();
        }
        if (serverlessOnly) {
            spot = spot.toBuilder().minReplicas(0).maxReplicas(0).build();
        }
        return new ScalingPolicy(spot, serverless);
    }

    private static Map<String, Map<String, String>> copy(Map<String, Map<String, String>> options) {
        var copies = new LinkedHashMap<String, Map<String, String>>();
        options.forEach((provider, settings) -> copies.put(provider, Map.copyOf(settings)));
        return Map.copyOf(copies);
    }

    /** Builds a {@link DeployRequest}; setters are named like its components. Not thread-safe. */
    public static final class Builder {
        private final String model;
        private final String gpu;
        private int gpuCount = 1;
        private List<String> serverlessProviders = List.of();
        private Map<String, Map<String, String>> providerOptions = Map.of();
        private Optional<String> serverlessRegion = Optional.empty();
        private Optional<String> spotCloud = Optional.empty();
        private List<String> spotRegions = List.of();
        private OptionalInt tpSize = OptionalInt.empty();
        private int maxModelLen = 4096;
        private Optional<String> quantization = Optional.empty();
        private ColdStartMode coldStartMode = ColdStartMode.FAST_BOOT;
        private Optional<String> engineVersion = Optional.empty();
        private List<String> engineArguments = List.of();
        private Optional<String> containerImage = Optional.empty();
        private ScalingPolicy scaling = ScalingPolicy.DEFAULT;
        private Optional<String> serviceName = Optional.empty();
        private boolean publicAccess = false;
        private boolean serverlessOnly = false;
        private boolean noScaleToZero = false;
        private RouterPlacement routerPlacement = RouterPlacement.EMBEDDED;
        private Map<String, SecretRef> secrets = Map.of();
        private Budget budget = Budget.NONE;

        private Builder(String model, String gpu) {
            this.model = model;
            this.gpu = gpu;
        }

        /**
         * Sets {@link DeployRequest#gpuCount()}.
         *
         * @param gpuCount GPUs of one machine, 1 or more
         * @return this
         */
        public Builder gpuCount(int gpuCount) {
            this.gpuCount = gpuCount;
            return this;
        }

        /**
         * Sets {@link DeployRequest#serverlessProviders()}.
         *
         * @param serverlessProviders provider names; empty to choose automatically
         * @return this
         */
        public Builder serverlessProviders(List<String> serverlessProviders) {
            this.serverlessProviders = List.copyOf(serverlessProviders);
            return this;
        }

        /**
         * Sets {@link DeployRequest#serverlessProviders()}.
         *
         * @param serverlessProviders the values, in order
         * @return this
         */
        public Builder serverlessProviders(String... serverlessProviders) {
            return serverlessProviders(List.of(serverlessProviders));
        }

        /**
         * Sets {@link DeployRequest#providerOptions()}.
         *
         * @param providerOptions settings for single providers: provider name, then key, then value
         * @return this
         */
        public Builder providerOptions(Map<String, Map<String, String>> providerOptions) {
            this.providerOptions = providerOptions;
            return this;
        }

        /**
         * Sets {@link DeployRequest#serverlessRegion()}.
         *
         * @param serverlessRegion region of the serverless endpoint
         * @return this
         */
        public Builder serverlessRegion(String serverlessRegion) {
            this.serverlessRegion = Optional.of(serverlessRegion);
            return this;
        }

        /**
         * Sets {@link DeployRequest#spotCloud()}.
         *
         * @param spotCloud provider of rented replicas
         * @return this
         */
        public Builder spotCloud(String spotCloud) {
            this.spotCloud = Optional.of(spotCloud);
            return this;
        }

        /**
         * Sets {@link DeployRequest#spotRegions()}.
         *
         * @param spotRegions region names; empty for the provider's own choice
         * @return this
         */
        public Builder spotRegions(List<String> spotRegions) {
            this.spotRegions = List.copyOf(spotRegions);
            return this;
        }

        /**
         * Sets {@link DeployRequest#spotRegions()}.
         *
         * @param spotRegions the values, in order
         * @return this
         */
        public Builder spotRegions(String... spotRegions) {
            return spotRegions(List.of(spotRegions));
        }

        /**
         * Sets {@link DeployRequest#tpSize()}.
         *
         * @param tpSize tensor-parallel size, 1 to {@code gpuCount}
         * @return this
         */
        public Builder tpSize(int tpSize) {
            this.tpSize = OptionalInt.of(tpSize);
            return this;
        }

        /**
         * Sets {@link DeployRequest#maxModelLen()}.
         *
         * @param maxModelLen context window in tokens, 1 or more
         * @return this
         */
        public Builder maxModelLen(int maxModelLen) {
            this.maxModelLen = maxModelLen;
            return this;
        }

        /**
         * Sets {@link DeployRequest#quantization()}.
         *
         * @param quantization quantization method handed to the engine
         * @return this
         */
        public Builder quantization(String quantization) {
            this.quantization = Optional.of(quantization);
            return this;
        }

        /**
         * Sets {@link DeployRequest#coldStartMode()}.
         *
         * @param coldStartMode what the serverless tier trades when it starts cold
         * @return this
         */
        public Builder coldStartMode(ColdStartMode coldStartMode) {
            this.coldStartMode = coldStartMode;
            return this;
        }

        /**
         * Sets {@link DeployRequest#engineVersion()}.
         *
         * @param engineVersion version of the model server, the same on every tier
         * @return this
         */
        public Builder engineVersion(String engineVersion) {
            this.engineVersion = Optional.of(engineVersion);
            return this;
        }

        /**
         * Sets {@link DeployRequest#engineArguments()}.
         *
         * @param engineArguments further arguments for the model server, one word each
         * @return this
         */
        public Builder engineArguments(List<String> engineArguments) {
            this.engineArguments = List.copyOf(engineArguments);
            return this;
        }

        /**
         * Sets {@link DeployRequest#engineArguments()}.
         *
         * @param engineArguments the values, in order
         * @return this
         */
        public Builder engineArguments(String... engineArguments) {
            return engineArguments(List.of(engineArguments));
        }

        /**
         * Sets {@link DeployRequest#containerImage()}.
         *
         * @param containerImage container image to run instead of the engine's own
         * @return this
         */
        public Builder containerImage(String containerImage) {
            this.containerImage = Optional.of(containerImage);
            return this;
        }

        /**
         * Sets {@link DeployRequest#scaling()}.
         *
         * @param scaling how many machines, and how fast that changes
         * @return this
         */
        public Builder scaling(ScalingPolicy scaling) {
            this.scaling = scaling;
            return this;
        }

        /**
         * Sets {@link DeployRequest#serviceName()}.
         *
         * @param serviceName the name, unique among live deployments
         * @return this
         */
        public Builder serviceName(String serviceName) {
            this.serviceName = Optional.of(serviceName);
            return this;
        }

        /**
         * Sets {@link DeployRequest#publicAccess()}.
         *
         * @param publicAccess whether the endpoint answers without a key
         * @return this
         */
        public Builder publicAccess(boolean publicAccess) {
            this.publicAccess = publicAccess;
            return this;
        }

        /**
         * Sets {@link DeployRequest#serverlessOnly()}.
         *
         * @param serverlessOnly whether to do without rented replicas
         * @return this
         */
        public Builder serverlessOnly(boolean serverlessOnly) {
            this.serverlessOnly = serverlessOnly;
            return this;
        }

        /**
         * Sets {@link DeployRequest#noScaleToZero()}.
         *
         * @param noScaleToZero true to keep one replica and one worker on
         * @return this
         */
        public Builder noScaleToZero(boolean noScaleToZero) {
            this.noScaleToZero = noScaleToZero;
            return this;
        }

        /**
         * Sets {@link DeployRequest#routerPlacement()}.
         *
         * @param routerPlacement where the endpoint runs
         * @return this
         */
        public Builder routerPlacement(RouterPlacement routerPlacement) {
            this.routerPlacement = routerPlacement;
            return this;
        }

        /**
         * Sets {@link DeployRequest#secrets()}.
         *
         * @param secrets environment variables of the model server whose values are secrets, for instance
         *     {@code HF_TOKEN}
         * @return this
         */
        public Builder secrets(Map<String, SecretRef> secrets) {
            this.secrets = secrets;
            return this;
        }

        /**
         * Sets {@link DeployRequest#budget()}.
         *
         * @param budget what this deployment may cost
         * @return this
         */
        public Builder budget(Budget budget) {
            this.budget = budget;
            return this;
        }

        /**
         * Checks and builds.
         *
         * @return the request
         * @throws ConfigurationException naming every wrong field at once
         */
        public DeployRequest build() {
            return new DeployRequest(
                    model,
                    gpu,
                    gpuCount,
                    serverlessProviders,
                    providerOptions,
                    serverlessRegion,
                    spotCloud,
                    spotRegions,
                    tpSize,
                    maxModelLen,
                    quantization,
                    coldStartMode,
                    engineVersion,
                    engineArguments,
                    containerImage,
                    scaling,
                    serviceName,
                    publicAccess,
                    serverlessOnly,
                    noScaleToZero,
                    routerPlacement,
                    secrets,
                    budget);
        }
    }
}
