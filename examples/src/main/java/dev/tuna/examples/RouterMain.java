package dev.tuna.examples;

import dev.tuna.api.Secret;
import dev.tuna.examples.command.HostPort;
import dev.tuna.router.NamedKey;
import dev.tuna.router.RouterConfig;
import dev.tuna.router.RouterEngine;
import dev.tuna.router.admin.UrlRoute;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The router alone, in front of given URLs: no cloud, no deployment, no state. */
@Command(
        name = "router",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Routes OpenAI requests to given URLs until told to end (SIGTERM, Ctrl-C).")
public final class RouterMain implements Callable<Integer> {

    private static final Duration PATIENCE = Duration.ofSeconds(15);

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:8080",
            converter = HostPort.Converter.class,
            description = "Where to listen (default: ${DEFAULT-VALUE}).")
    private HostPort listen = new HostPort("127.0.0.1", 8080);

    @Option(
            names = "--serverless",
            paramLabel = "URL",
            description = "A serverless endpoint; may be repeated, in order of preference.")
    private List<URI> serverless = List.of();

    @Option(names = "--spot", paramLabel = "URL", description = "A replica; may be repeated.")
    private List<URI> spot = List.of();

    @Option(names = "--model", paramLabel = "NAME", description = "The model served (default: any); may be repeated.")
    private List<String> models = List.of();

    @Option(
            names = "--io-threads",
            paramLabel = "N",
            description = "Event loops (default: one per processor, at most 8).")
    private Optional<Integer> ioThreads = Optional.empty();

    @Option(
            names = "--api-key-env",
            paramLabel = "VARIABLE",
            description = "Environment variable with the key that clients send (default: no key is asked for).")
    private Optional<String> apiKeyVariable = Optional.empty();

    @Option(
            names = "--admin-key-env",
            paramLabel = "VARIABLE",
            description =
                    "Environment variable with the key for what lies under /router/ (default: nothing can be changed).")
    private Optional<String> adminKeyVariable = Optional.empty();

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    private final Map<String, String> environment;
    private final CompletableFuture<Void> interrupted;

    private RouterMain(Map<String, String> environment, CompletableFuture<Void> interrupted) {
        this.environment = environment;
        this.interrupted = interrupted;
    }

    /**
     * Runs until the process is told to end.
     *
     * @param arguments see {@code --help}
     */
    public static void main(String[] arguments) {
        System.exit(OrderlyExit.run(
                PATIENCE,
                interrupted -> commandLine(System.getenv(), interrupted).execute(arguments)));
    }

    static CommandLine commandLine(Map<String, String> environment, CompletableFuture<Void> interrupted) {
        return new CommandLine(new RouterMain(environment, interrupted))
                .setExecutionExceptionHandler((e, command, parsed) -> {
                    command.getErr().println("router: " + e.getMessage());
                    return CommandLine.ExitCode.SOFTWARE;
                });
    }

    @Override
    public Integer call() {
        Optional<NamedKey> apiKey = key(apiKeyVariable);
        Optional<NamedKey> adminKey = key(adminKeyVariable);
        if (serverless.isEmpty() && spot.isEmpty() && adminKey.isEmpty()) {
            throw wrong("no backend: give --serverless or --spot, or --admin-key-env to add them later");
        }
        try (RouterEngine router =
                RouterEngine.builder().config(config(adminKey)).start()) {
            router.serve(route(apiKey));
            spec.commandLine().getOut().println("router: " + url(router));
            interrupted.join();
            return CommandLine.ExitCode.OK;
        }
    }

    private UrlRoute.Builder route(Optional<NamedKey> apiKey) {
        var route = UrlRoute.builder("router")
                .serverless(serverless)
                .spot(spot)
                .keys(apiKey.stream().toList())
                .publicAccess(apiKey.isEmpty());
        return models.isEmpty() ? route : route.models(models);
    }

    private URI url(RouterEngine router) {
        String host = listen.host().contains(":") ? "[" + listen.host() + "]" : listen.host();
        return URI.create("http://" + host + ":" + router.address().getPort());
    }

    private RouterConfig config(Optional<NamedKey> adminKey) {
        var config = RouterConfig.builder().host(listen.host()).port(listen.port());
        ioThreads.ifPresent(config::ioThreads);
        adminKey.ifPresent(key -> config.adminKeys(List.of(key)));
        try {
            return config.build();
        } catch (IllegalArgumentException e) {
            throw wrong(String.valueOf(e.getMessage()));
        }
    }

    /** Keys come from the environment: arguments show in every process list. */
    private Optional<NamedKey> key(Optional<String> variable) {
        return variable.map(name -> {
            String value = environment.getOrDefault(name, "");
            if (value.isBlank()) {
                throw wrong("environment variable " + name + " is not set, but a key is to be read from it");
            }
            return NamedKey.of(name, Secret.of(value));
        });
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), "router: " + message);
    }
}
