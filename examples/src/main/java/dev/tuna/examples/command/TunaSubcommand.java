package dev.tuna.examples.command;

import dev.tuna.api.DeployRequest;
import dev.tuna.core.TunaBuilder;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.examples.terminal.Printable;
import dev.tuna.examples.terminal.Table;
import dev.tuna.spi.SecretStore;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What the subcommands share: the installation and the form of the output. */
abstract class TunaSubcommand implements Callable<Integer> {

    private static final int ANY_PORT = 0;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Mixin
    private final Installation installation = new Installation();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORMAT",
            defaultValue = "table",
            description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private Format format = Format.TABLE;

    final Session session;

    TunaSubcommand(Session session) {
        this.session = session;
    }

    final Installation installation() {
        return installation;
    }

    final Path stateDirectory() {
        return installation.stateDirectory(session.environment());
    }

    final Map<String, Map<String, String>> settings() {
        return installation.settings(session.environment(), spec);
    }

    final String usualSpotCloud() {
        return installation.usualSpotCloud(session.environment(), spec);
    }

    final TunaBuilder builder() {
        return installation.builder(session.environment(), spec);
    }

    final SecretStore secretStore() {
        return new FileSecretStore(stateDirectory());
    }

    /** Of a deployment that is over, or was never taken on. */
    final void forgetSecrets(DeployRequest request) {
        EnvironmentSecrets.forget(request, secretStore());
    }

    /** With an endpoint that nobody is told about: a command that ends at once serves nobody. */
    final TunaBuilder unheard() {
        return builder().listen("127.0.0.1", ANY_PORT);
    }

    /** Whether standard output belongs to a program, so that nothing but the result may be on it. */
    final boolean isForPrograms() {
        return format != Format.TABLE;
    }

    /** Prints a result in the form asked for. */
    final void print(Object record, Table table, List<String> lines) {
        switch (format) {
            case JSON -> session.out().println(JsonText.of(record));
            case CSV -> table.csv().forEach(session.out()::println);
            case TABLE -> lines.forEach(session.out()::println);
        }
        session.out().flush();
    }

    /** Tells a person something beside the result. */
    final void note(String line) {
        session.err().println("tuna: " + Printable.line(line));
    }

    final CommandLine.ParameterException usage(String message) {
        return new CommandLine.ParameterException(spec.commandLine(), message);
    }
}
