package dev.tuna.examples.command;

import dev.tuna.api.ControlPlane;
import dev.tuna.api.LogEntry;
import dev.tuna.examples.terminal.Printable;
import dev.tuna.examples.terminal.Table;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tuna logs}: what containers, or the process that hosts, have written. */
@Command(
        name = "logs",
        mixinStandardHelpOptions = true,
        description = {
            "Shows what the containers behind a deployment's serverless endpoints have written lately; with --host what"
                    + " the background process has.",
            "Rented replicas have no log that their cloud could be asked for."
        })
final class LogsCommand extends ControlCommand {

    @Mixin
    private final Name name = new Name();

    @Option(
            names = {"-n", "--lines"},
            paramLabel = "N",
            defaultValue = "100",
            description = "Lines of each endpoint at the most (default: ${DEFAULT-VALUE}).")
    private int lines = 100;

    @Option(names = "--host", description = "The log of the process that hosts in the background.")
    private boolean host;

    LogsCommand(Session session) {
        super(session);
    }

    @Override
    public Integer call() {
        if (lines < 1) {
            throw usage("--lines is '" + lines + "' but must be 1 or more");
        }
        if (host) {
            return host();
        }
        if (name.value().isEmpty()) {
            throw usage("logs needs the NAME of a deployment, or --host");
        }
        return super.call();
    }

    @Override
    int run(ControlPlane plane) {
        List<LogEntry> entries = plane.logs(name.value().orElseThrow(), lines);
        print(
                entries,
                table(entries),
                entries.isEmpty()
                        ? List.of("Nothing has been written.")
                        : entries.stream().map(LogsCommand::line).toList());
        return ExitCode.DONE;
    }

    private static Table table(List<LogEntry> entries) {
        var table = new Table("BACKEND", "CONTAINER", "AT", "TEXT");
        entries.forEach(entry -> table.row(
                entry.backend(),
                entry.container(),
                entry.at().map(Instant::toString).orElse(""),
                entry.text()));
        return table;
    }

    private static String line(LogEntry entry) {
        String where = entry.container().isEmpty() ? entry.backend() : entry.backend() + "/" + entry.container();
        return Printable.line(entry.at().map(at -> at + "  ").orElse("") + where + "  " + entry.text());
    }

    private int host() {
        Path log = new Background(stateDirectory()).log();
        if (!Files.exists(log)) {
            note("nothing has been hosted in the background: there is no " + log);
            return ExitCode.FAILED;
        }
        try {
            List<String> last = LogTail.lines(log, 0, lines);
            var table = new Table("TEXT");
            last.forEach(table::row);
            print(last, table, last.stream().map(Printable::line).toList());
            return ExitCode.DONE;
        } catch (IOException e) {
            throw new UncheckedIOException(log + " cannot be read", e);
        }
    }
}
