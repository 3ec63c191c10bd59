package dev.tuna.examples.command;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ControlPlane;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Orphan;
import dev.tuna.api.OrphanReport;
import dev.tuna.examples.terminal.Printable;
import dev.tuna.examples.terminal.Table;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tuna orphans}: what runs at the providers and belongs to no live deployment. */
@Command(
        name = "orphans",
        mixinStandardHelpOptions = true,
        description =
                "Lists what runs at the providers and belongs to no live deployment; takes one of ours in again, or removes it.")
final class OrphansCommand extends ControlCommand {

    private static final int PAUSE_SECONDS = 2;
    private static final int PATIENCE_SECONDS = 300;

    @ArgGroup
    private Action action = new Action();

    @Mixin
    private final Yes yes = new Yes();

    OrphansCommand(Session session) {
        super(session);
    }

    /** What to do to one of them; nothing for a list. */
    private static final class Action {
        @Option(
                names = "--adopt",
                paramLabel = "ID",
                description = "Make this one a backend of the live deployment that it is labelled with.")
        private Optional<String> adopt = Optional.empty();

        @Option(
                names = "--destroy",
                paramLabel = "ID",
                description = "Remove this one. ID is the provider's id, or PROVIDER/ID if two providers have it.")
        private Optional<String> destroy = Optional.empty();
    }

    @Override
    int run(ControlPlane plane) {
        OrphanReport report = plane.orphans();
        report.problems().forEach(this::note);
        Optional<String> id = action.adopt.or(() -> action.destroy);
        if (id.isEmpty()) {
            Table table = table(report.found());
            print(report, table, table.isEmpty() ? List.of(none(report)) : table.lines());
            return searched(report);
        }
        Orphan orphan = one(report.found(), id.get());
        boolean adopting = action.adopt.isPresent();
        String what = orphan.kind() + " " + orphan.id() + " of " + orphan.provider();
        String question = adopting ? "Adopt " + what + " into " + orphan.deployment() + "?" : "Destroy " + what + "?";
        if (!yes.given() && !session.agrees(Printable.line(question))) {
            session.err().println("Nothing was done.");
            return ExitCode.BROKEN_OFF;
        }
        return adopting ? adopt(plane, orphan, what) : destroy(plane, orphan, what);
    }

    private static String none(OrphanReport report) {
        return report.complete() ? "No orphans were found." : "No orphans were found where it could be looked.";
    }

    private int searched(OrphanReport report) {
        if (!report.unused().isEmpty()) {
            note("not searched, since nothing is set up for them: " + String.join(", ", report.unused())
                    + " ('tuna check --provider NAME' tells what one needs)");
        }
        if (report.complete()) {
            return ExitCode.DONE;
        }
        note("the search is not complete: there may be more");
        return ExitCode.PARTLY;
    }

    private static Table table(List<Orphan> orphans) {
        var table = new Table("PROVIDER", "KIND", "ID", "DEPLOYMENT", "OWNER", "CREATED");
        orphans.forEach(orphan -> table.row(
                orphan.provider(),
                orphan.kind(),
                orphan.id(),
                orphan.deployment(),
                orphan.ours() ? "this installation" : orphan.owner() + " (never touched)",
                orphan.createdAt().map(Instant::toString).orElse("-")));
        return table;
    }

    private static Orphan one(List<Orphan> found, String id) {
        List<Orphan> named = found.stream()
                .filter(orphan -> orphan.id().equals(id) || fullId(orphan).equals(id))
                .toList();
        if (named.size() == 1) {
            return named.get(0);
        }
        String ids = (named.isEmpty() ? found : named)
                .stream().map(OrphansCommand::fullId).collect(Collectors.joining(", "));
        throw new ConfigurationException(
                ErrorCode.INVALID_REQUEST,
                named.isEmpty()
                        ? "no orphan has the id '" + id + "'; "
                                + (ids.isEmpty() ? "there are none" : "found are " + ids)
                        : "several orphans have the id '" + id + "'; say which one: " + ids);
    }

    private static String fullId(Orphan orphan) {
        return orphan.provider() + "/" + orphan.id();
    }

    private int adopt(ControlPlane plane, Orphan orphan, String what) {
        String deployment = plane.adopt(orphan).name();
        print(
                orphan,
                table(List.of(orphan)),
                List.of(Printable.line(what) + " belongs to " + deployment
                        + " now; it takes requests when it is ready."));
        return ExitCode.DONE;
    }

    /** Asks until the provider has confirmed it. */
    private int destroy(ControlPlane plane, Orphan orphan, String what) {
        for (int waited = 0; waited < PATIENCE_SECONDS; waited += PAUSE_SECONDS) {
            if (plane.destroy(orphan)) {
                print(orphan, table(List.of(orphan)), List.of(Printable.line(what) + " is gone."));
                return ExitCode.DONE;
            }
            if (session.isEndedWithin(Duration.ofSeconds(PAUSE_SECONDS))) {
                break;
            }
        }
        note(what + " was told to go and is not confirmed to be gone; 'tuna orphans' shows it until it is");
        return ExitCode.FAILED;
    }
}
