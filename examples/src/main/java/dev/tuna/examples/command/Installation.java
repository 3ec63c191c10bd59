package dev.tuna.examples.command;

import dev.tuna.core.Tuna;
import dev.tuna.core.TunaBuilder;
import java.net.URI;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The options that say where deployments are kept and how providers are reached; the same for every command. */
final class Installation {

    @Option(
            names = "--state-dir",
            paramLabel = "DIR",
            description = "Where deployments and their secrets are kept (default: TUNA_STATE_DIR, else ~/.tuna).")
    private Optional<Path> stateDirectory = Optional.empty();

    @Option(
            names = {"-P", "--provider-option"},
            paramLabel = "PROVIDER.KEY=VALUE",
            description =
                    "A setting for one provider, for instance -P local.url=http://127.0.0.1:9000; may be repeated.")
    private Map<String, String> providerOptions = new LinkedHashMap<>();

    @Option(
            names = "--local-cloud",
            paramLabel = "URL",
            description = "The local cloud, for providers local and local-spot (default: TUNA_LOCAL_CLOUD). "
                    + "'sh examples/local-cloud.sh' starts one.")
    private Optional<URI> localCloud = Optional.empty();

    /** Where deployments are kept. */
    Path stateDirectory(Map<String, String> environment) {
        return stateDirectory
                .or(() -> set(environment, "TUNA_STATE_DIR").map(Path::of))
                // As the shell has it; the JVM goes by the list of users.
                .orElseGet(() ->
                        Path.of(set(environment, "HOME").orElseGet(() -> System.getProperty("user.home")), ".tuna"))
                .toAbsolutePath();
    }

    /**
     * Settings by provider: the local cloud first, then each {@code -P}, which wins.
     *
     * @throws ParameterException if a {@code -P} names no provider
     */
    Map<String, Map<String, String>> settings(Map<String, String> environment, CommandSpec command) {
        var settings = new TreeMap<String, Map<String, String>>();
        localCloud
                .map(URI::toString)
                .or(() -> set(environment, "TUNA_LOCAL_CLOUD"))
                .ifPresent(url -> {
                    put(settings, "local", "url", url);
                    put(settings, "local-spot", "url", url);
                });
        providerOptions.forEach((name, value) -> {
            int dot = name.indexOf('.');
            if (dot < 1 || dot == name.length() - 1) {
                throw new ParameterException(
                        command.commandLine(),
                        "-P is '" + name + "=" + value + "' but must be PROVIDER.KEY=VALUE, for instance"
                                + " -P local.url=http://127.0.0.1:9000");
            }
            put(settings, name.substring(0, dot), name.substring(dot + 1), value);
        });
        return settings;
    }

    /** Who rents replicas out if the request does not say it: whoever sets a local cloud means to use it. */
    String usualSpotCloud(Map<String, String> environment, CommandSpec command) {
        return settings(environment, command).containsKey("local-spot") ? "local-spot" : "aws";
    }

    /** A builder for this installation, with no listen address yet. */
    TunaBuilder builder(Map<String, String> environment, CommandSpec command) {
        TunaBuilder builder = Tuna.builder().stateDirectory(stateDirectory(environment));
        settings(environment, command).forEach(builder::providerSettings);
        return builder.routerVms(RouterVmEnvironment.of(environment));
    }

    private static void put(Map<String, Map<String, String>> settings, String provider, String key, String value) {
        settings.computeIfAbsent(provider, name -> new LinkedHashMap<>()).put(key, value);
    }

    private static Optional<String> set(Map<String, String> environment, String variable) {
        return Optional.ofNullable(environment.get(variable)).filter(value -> !value.isBlank());
    }
}
