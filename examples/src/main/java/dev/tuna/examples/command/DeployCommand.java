package dev.tuna.examples.command;

import dev.tuna.api.ColdStartMode;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.core.Tuna;
import dev.tuna.core.config.ScalingPolicyYaml;
import dev.tuna.examples.terminal.Display;
import dev.tuna.examples.terminal.Dollars;
import dev.tuna.examples.terminal.Terminal;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tuna deploy}: asks for a deployment and hosts its endpoint until interrupted. */
@Command(
        name = "deploy",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Deploys a model and hosts its endpoint in the foreground.",
            "Ctrl-C ends the hosting and leaves the deployment as it is; 'tuna destroy' takes it down."
        })
final class DeployCommand extends TunaSubcommand {

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
            description = "Provider of rented replicas (default: the only one there is).")
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
            description = "Scaling policy in YAML; the options below win over it.")
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
            names = "--listen",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:8080",
            converter = HostPort.Converter.class,
            description = "Where the endpoint listens (default: ${DEFAULT-VALUE}).")
    private HostPort listen = new HostPort("127.0.0.1", 8080);

    DeployCommand(Session session) {
        super(session);
    }

    @Override
    public Integer call() {
        DeployRequest request = request();
        try (Tuna tuna = builder().listen(listen.host(), listen.port()).start()) {
            return host(tuna, request);
        }
    }

    private int host(Tuna tuna, DeployRequest request) {
        // Progress has no place among results that a program reads.
        PrintStream progress = json() ? session.err() : session.out();
        Terminal terminal = json() ? Terminal.PLAIN : session.terminal();
        Deployment deployment;
        int exitCode;
        try (Display display = new Display(progress, terminal, session.clock())) {
            var hosting = new Hosting(session, display);
            tuna.events(hosting::on);
            deployment = tuna.deploy(request);
            print(Access.to(deployment), display);
            exitCode = hosting.untilEnd(deployment);
        }
        if (session.interrupted().isDone()) {
            leave(deployment);
        }
        return exitCode;
    }

    private void print(Access access, Display display) {
        if (json()) {
            print(access, List.of());
        } else {
            display.print(access.lines());
        }
    }

    private void leave(Deployment deployment) {
        session.err()
                .println(deployment.name() + " is left as it is, at "
                        + Dollars.text(deployment.cost().usdPerHourNow())
                        + " per hour and without its endpoint. Take it"
                        + " down with: tuna destroy " + deployment.name());
    }

    private DeployRequest request() {
        var request = DeployRequest.builder(model, gpu)
                .gpuCount(gpuCount)
                .serverlessProviders(serverlessProviders)
                .spotRegions(spotRegions)
                .maxModelLen(maxModelLen)
                .coldStartMode(coldStartMode)
                .engineArguments(engineArguments)
                .scaling(scaling())
                .publicAccess(publicAccess)
                .serverlessOnly(serverlessOnly)
                .noScaleToZero(noScaleToZero);
        spotCloud.ifPresent(request::spotCloud);
        serverlessRegion.ifPresent(request::serverlessRegion);
        tpSize.ifPresent(request::tpSize);
        quantization.ifPresent(request::quantization);
        serviceName.ifPresent(request::serviceName);
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
