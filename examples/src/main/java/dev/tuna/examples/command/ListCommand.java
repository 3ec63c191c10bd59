package dev.tuna.examples.command;

import dev.tuna.api.ControlPlane;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.examples.terminal.Table;
import java.net.URI;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tuna list}: the deployments that are live, or those that are over. */
@Command(name = "list", mixinStandardHelpOptions = true, description = "Lists the deployments.")
final class ListCommand extends ControlCommand {

    private static final int HISTORY = 1000;

    @Option(
            names = "--status",
            paramLabel = "STATUS",
            description = "Only those that are ${COMPLETION-CANDIDATES} (default: all that are live).")
    private Optional<DeploymentPhase> phase = Optional.empty();

    ListCommand(Session session) {
        super(session);
    }

    @Override
    int run(ControlPlane plane) {
        Stream<Row> live = plane.deployments().stream().map(Row::of);
        Stream<Row> over = phase.isPresent() ? plane.history(HISTORY).stream().map(Row::of) : Stream.of();
        List<Row> rows = Stream.concat(live, over)
                .filter(row -> phase.map(wanted -> wanted == row.status()).orElse(true))
                .toList();
        var table = new Table("NAME", "STATUS", "MODEL", "GPU", "BACKENDS", "CREATED");
        rows.forEach(row -> table.row(
                row.name(),
                row.status().name().toLowerCase(Locale.ROOT),
                row.model().orElse("-"),
                row.gpu().orElse("-"),
                String.valueOf(row.backends()),
                row.created().toString()));
        String none = phase.map(wanted -> "No deployment is " + wanted.name().toLowerCase(Locale.ROOT) + ".")
                .orElse("Nothing is deployed.");
        print(rows, rows.isEmpty() ? List.of(none) : table.lines());
        return TunaCli.DONE;
    }

    /** A deployment in one line; of one that is over, model and GPU are not told. */
    private record Row(
            String name,
            DeploymentPhase status,
            Optional<String> model,
            Optional<String> gpu,
            int backends,
            URI endpoint,
            Instant created) {

        static Row of(Deployment deployment) {
            String gpu =
                    deployment.request().gpuCount() + "x" + deployment.request().gpu();
            return of(deployment.status(), Optional.of(deployment.request().model()), Optional.of(gpu));
        }

        static Row of(DeploymentStatus status) {
            return of(status, Optional.empty(), Optional.empty());
        }

        private static Row of(DeploymentStatus status, Optional<String> model, Optional<String> gpu) {
            return new Row(
                    status.name(),
                    status.phase(),
                    model,
                    gpu,
                    status.backends().size(),
                    status.endpoint(),
                    status.createdAt().truncatedTo(ChronoUnit.SECONDS));
        }
    }
}
