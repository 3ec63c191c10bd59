package dev.tuna.examples.command;

import dev.tuna.core.TunaBuilder;
import java.util.List;
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

    final TunaBuilder builder() {
        return installation.builder(session.environment(), spec);
    }

    /** With an endpoint that nobody is told about: a command that ends at once serves nobody. */
    final TunaBuilder unheard() {
        return builder().listen("127.0.0.1", ANY_PORT);
    }

    final boolean json() {
        return format == Format.JSON;
    }

    /** Prints a result in the form asked for. */
    final void print(Object record, List<String> table) {
        if (json()) {
            session.out().println(JsonText.of(record));
        } else {
            table.forEach(session.out()::println);
        }
        session.out().flush();
    }

    final CommandLine.ParameterException usage(String message) {
        return new CommandLine.ParameterException(spec.commandLine(), message);
    }
}
