package dev.tuna.examples.command;

import dev.tuna.api.ControlPlane;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentSummary;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.core.Tuna;
import dev.tuna.examples.terminal.Table;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tuna list}: the deployments that are live, or those that are over. Starts nothing and asks no cloud. */
@Command(name = "list", mixinStandardHelpOptions = true, description = "Lists the deployments.")
final class ListCommand extends TunaSubcommand {

    private static final int HISTORY = 1000;

    @Option(
            names = "--status",
            paramLabel = "STATUS",
            description = "Only those that are ${COMPLETION-CANDIDATES} (default: all that are live).")
    private Optional<DeploymentPhase> phase = Optional.empty();

    @Option(names = "--all", description = "Those that are over too.")
    private boolean all;

    ListCommand(Session session) {
        super(session);
    }

    @Override
    public Integer call() {
        // What is wrong with them is told even by a command that asks no provider anything.
        var unused = settings();
        List<DeploymentSummary> found = summaries().stream()
                .filter(each -> phase.map(wanted -> wanted == each.phase()).orElse(true))
                .toList();
        var table = new Table("NAME", "STATUS", "MODEL", "GPU", "BACKENDS", "CREATED");
        found.forEach(each -> table.row(
                each.name(),
                each.phase().name().toLowerCase(Locale.ROOT),
                each.model(),
                each.gpuCount() + "x" + each.gpu(),
                String.valueOf(each.backends()),
                each.createdAt().truncatedTo(ChronoUnit.SECONDS).toString()));
        String none = phase.map(wanted -> "No deployment is " + wanted.name().toLowerCase(Locale.ROOT) + ".")
                .orElse("Nothing is deployed.");
        print(found, table, found.isEmpty() ? List.of(none) : table.lines());
        return ExitCode.DONE;
    }

    private List<DeploymentSummary> summaries() {
        int over = all || phase.isPresent() ? HISTORY : 0;
        Optional<ControlPlane> running = Tuna.running(stateDirectory());
        if (running.isPresent()) {
            try (ControlPlane plane = running.get()) {
                return plane.summaries(over);
            }
        }
        try {
            return Tuna.stored(stateDirectory(), over);
        } catch (StoreException e) {
            if (e.code() != ErrorCode.STORE_LOCKED) {
                throw e;
            }
            // Somebody is starting, or looking as well.
            try (ControlPlane plane = unheard().startOrJoin()) {
                return plane.summaries(over);
            }
        }
    }
}
