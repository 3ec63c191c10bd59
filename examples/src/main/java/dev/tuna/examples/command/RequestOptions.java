package dev.tuna.examples.command;

import dev.tuna.api.Budget;
import dev.tuna.api.ColdStartMode;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.RouterPlacement;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.core.config.BudgetYaml;
import dev.tuna.core.config.ScalingPolicyYaml;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What is to be served, and on what. Defaults, then the file of {@code --scaling-policy}, then options. */
final class RequestOptions {

    @Option(names = "--model", required = true, description = "Hugging Face id or path, for instance Qwen/Qwen3-0.6B.")
    private String model = "";

    @Option(names = "--gpu", required = true, description = "GPU name or alias, for instance L4; see 'tuna show-gpus'.")
    private String gpu = "";

    @Option(names = "--gpu-count", defaultValue = "1", description = "GPUs of one machine (default: 1).")
    private int gpuCount = 1;

    @Option(
            names = "--serverless-provider",
            split = ",",
            paramLabel = "NAME",
            description = "Serverless providers in order of preference (default: the cheapest that is usable).")
    private List<String> serverlessProviders = List.of();

    @Option(
            names = "--spots-cloud",
            paramLabel = "NAME",
            description = "Provider of rented replicas (default: local-spot if a local cloud is set, else aws).")
    private Optional<String> spotCloud = Optional.empty();

    @Option(
            names = "--region",
            split = ",",
            paramLabel = "REGION",
            description = "Regions of rented replicas (default: the provider's choice).")
    private List<String> spotRegions = List.of();

    @Option(names = "--serverless-region", paramLabel = "REGION", description = "Region of the serverless endpoint.")
    private Optional<String> serverlessRegion = Optional.empty();

    @Option(names = "--tp-size", paramLabel = "N", description = "Tensor-parallel size (default: --gpu-count).")
    private Optional<Integer> tpSize = Optional.empty();

    @Option(
            names = "--max-model-len",
            paramLabel = "TOKENS",
            defaultValue = "4096",
            description = "Context window (default: 4096).")
    private int maxModelLen = 4096;

    @Option(names = "--quantization", paramLabel = "METHOD", description = "For instance awq; handed to the engine.")
    private Optional<String> quantization = Optional.empty();

    @Option(
            names = "--cold-start-mode",
            paramLabel = "MODE",
            defaultValue = "FAST_BOOT",
            description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private ColdStartMode coldStartMode = ColdStartMode.FAST_BOOT;

    @Option(
            names = "--engine-arg",
            paramLabel = "WORD",
            description = "One more word for the model server; may be repeated.")
    private List<String> engineArguments = List.of();

    @Option(
            names = "--scaling-policy",
            paramLabel = "FILE",
            description = "Scaling policy and budget in YAML; the options below win over it.")
    private Optional<Path> scalingPolicy = Optional.empty();

    @Option(
            names = "--concurrency",
            paramLabel = "N",
            description = "Requests that one serverless container takes at once.")
    private Optional<Integer> concurrency = Optional.empty();

    @Option(names = "--workers-max", paramLabel = "N", description = "Serverless containers at the most.")
    private Optional<Integer> workersMax = Optional.empty();

    @Option(
            names = "--service-name",
            paramLabel = "NAME",
            description = "Name of the deployment (default: tuna- and 8 hex digits).")
    private Optional<String> serviceName = Optional.empty();

    @Option(names = "--public", description = "The endpoint asks for no key.")
    private boolean publicAccess;

    @Option(names = "--serverless-only", description = "No rented replicas.")
    private boolean serverlessOnly;

    @Option(names = "--no-scale-to-zero", description = "Keep one replica and one serverless worker on.")
    private boolean noScaleToZero;

    @Option(
            names = "--use-different-vm-for-lb",
            description = "Router and control loop on a machine of their own: the deployment outlives this command.")
    private boolean separateRouter;

    @Mixin
    private final BudgetOptions budget = new BudgetOptions();

    @Mixin
    private final GoogleCloud googleCloud = new GoogleCloud();

    @Mixin
    private final Absent absent = new Absent();

    Absent absent() {
        return absent;
    }

    /**
     * The request.
     *
     * @param usualSpotCloud who rents replicas out if no option says it
     */
    DeployRequest request(String usualSpotCloud) {
        var request = DeployRequest.builder(model, gpu)
                .gpuCount(gpuCount)
                .serverlessProviders(serverlessProviders)
                .spotRegions(spotRegions)
                .maxModelLen(maxModelLen)
                .coldStartMode(coldStartMode)
                .engineArguments(engineArguments)
                .scaling(scaling())
                .budget(budget.over(scalingPolicy.map(BudgetYaml::read).orElse(Budget.NONE)))
                .publicAccess(publicAccess)
                .serverlessOnly(serverlessOnly)
                .noScaleToZero(noScaleToZero);
        spotCloud
                .or(() -> serverlessOnly ? Optional.empty() : Optional.of(usualSpotCloud))
                .ifPresent(request::spotCloud);
        serverlessRegion.ifPresent(request::serverlessRegion);
        tpSize.ifPresent(request::tpSize);
        quantization.ifPresent(request::quantization);
        serviceName.ifPresent(request::serviceName);
        if (separateRouter) {
            request.routerPlacement(RouterPlacement.SEPARATE_VM);
        }
        if (!googleCloud.options().isEmpty()) {
            request.providerOptions(Map.of(GoogleCloud.PROVIDER, googleCloud.options()));
        }
        return request.build();
    }

    private ScalingPolicy scaling() {
        ScalingPolicy policy = scalingPolicy.map(ScalingPolicyYaml::read).orElse(ScalingPolicy.DEFAULT);
        var serverless = policy.serverless().toBuilder();
        concurrency.ifPresent(serverless::concurrency);
        workersMax.ifPresent(serverless::workersMax);
        return policy.withServerless(serverless.build());
    }
}
