package dev.tuna.examples.command;

import dev.tuna.api.Secret;
import dev.tuna.router.NamedKey;
import dev.tuna.router.RouterConfig;
import dev.tuna.router.RouterEngine;
import dev.tuna.router.admin.UrlRoute;
import java.net.URI;
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
public final class RouterCommand implements Callable<Integer> {

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            converter = HostPort.Converter.class,
            description = "Where to listen (default: 127.0.0.1 at PORT, else 8080).")
    private Optional<HostPort> listen = Optional.empty();

    @Option(
            names = "--serverless",
            paramLabel = "URL",
            description =
                    "A serverless endpoint; may be repeated, in order of preference (default: SERVERLESS_BASE_URL).")
    private List<URI> serverless = List.of();

    @Option(
            names = "--spot",
            paramLabel = "URL",
            description = "A replica; may be repeated (default: SKYSERVE_BASE_URL).")
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
            description =
                    "Environment variable with the key that clients send (default: API_KEY if it is set, else no key is asked"
                            + " for).")
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

    /**
     * The command.
     *
     * @param environment environment variables
     * @param interrupted completes when the process is told to end
     */
    public RouterCommand(Map<String, String> environment, CompletableFuture<Void> interrupted) {
        this.environment = environment;
        this.interrupted = interrupted;
    }

    @Override
    public Integer call() {
        var variables = new RouterEnvironment(environment, this::wrong);
        variables
                .logLevel()
                .filter(level -> System.getProperty(TunaCli.LOG) == null)
                .ifPresent(level -> System.setProperty(TunaCli.LOG, level));
        Optional<NamedKey> apiKey = apiKeyVariable.isPresent() ? key(apiKeyVariable) : variables.apiKey();
        Optional<NamedKey> adminKey = key(adminKeyVariable);
        List<URI> endpoints = serverless.isEmpty() ? variables.serverless() : serverless;
        List<URI> replicas = spot.isEmpty() ? variables.spot() : spot;
        if (endpoints.isEmpty() && replicas.isEmpty() && adminKey.isEmpty()) {
            throw wrong("no backend: give --serverless or --spot, or --admin-key-env to add them later");
        }
        variables.withoutEffect().forEach(line -> spec.commandLine().getErr().println("router: " + line));
        HostPort address = listen.orElseGet(() -> new HostPort("127.0.0.1", variables.port()));
        UrlRoute.Builder route = UrlRoute.builder("router")
                .serverless(endpoints)
                .spot(replicas)
                .keys(apiKey.stream().toList())
                .publicAccess(apiKey.isEmpty())
                .policy(variables.policy());
        variables.serverlessToken().ifPresent(route::serverlessToken);
        variables.healthPath().ifPresent(route::healthPath);
        variables.healthEvery().ifPresent(route::healthEvery);
        if (!models.isEmpty()) {
            route.models(models);
        }
        try (RouterEngine router =
                RouterEngine.builder().config(config(address, adminKey)).start()) {
            router.serve(route);
            spec.commandLine().getOut().println("router: " + url(address, router));
            interrupted.join();
            return CommandLine.ExitCode.OK;
        }
    }

    private static URI url(HostPort address, RouterEngine router) {
        String host = address.host().contains(":") ? "[" + address.host() + "]" : address.host();
        return URI.create("http://" + host + ":" + router.address().getPort());
    }

    private RouterConfig config(HostPort address, Optional<NamedKey> adminKey) {
        var config = RouterConfig.builder().host(address.host()).port(address.port());
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
