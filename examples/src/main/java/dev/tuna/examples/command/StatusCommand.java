package dev.tuna.examples.command;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ControlPlane;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.ErrorCode;
import dev.tuna.core.Tuna;
import dev.tuna.examples.terminal.BackendBoard;
import dev.tuna.examples.terminal.Printable;
import dev.tuna.examples.terminal.Table;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tuna status}: what runs, backend by backend. */
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description = "Shows endpoint, traffic and backends of a deployment, or of all.")
final class StatusCommand extends ControlCommand {

    @Mixin
    private final Name name = new Name();

    @Option(names = "--access", description = "Show how to reach it instead: endpoint, key, and lines to paste.")
    private boolean access;

    StatusCommand(Session session) {
        super(session);
    }

    @Override
    int run(ControlPlane plane) {
        return access ? access(plane) : status(plane);
    }

    private int access(ControlPlane plane) {
        String wanted = name.value().orElseThrow(() -> usage("--access needs the NAME of a deployment"));
        if (!answers(plane, wanted)) {
            note("nothing answers: no process hosts " + stateDirectory() + "; 'tuna host' hosts it");
            return ExitCode.FAILED;
        }
        Deployment deployment = plane.deployment(wanted)
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.NO_SUCH_DEPLOYMENT,
                        wanted + " is "
                                + plane.status(wanted).phase().name().toLowerCase(Locale.ROOT)
                                + "; nothing answers for it any more"));
        if (plane instanceof Tuna tuna) {
            // What it shows is asked there, and nobody waits here until a machine comes up.
            var unusedThere = tuna.routerVms().soonArrived(wanted);
        }
        Access found = Access.to(deployment, stateDirectory());
        print(found, found.table(), found.lines());
        return ExitCode.DONE;
    }

    private int status(ControlPlane plane) {
        List<DeploymentStatus> all = name.value()
                .map(one -> List.of(plane.status(one)))
                .orElseGet(() ->
                        plane.deployments().stream().map(one -> one.status()).toList());
        var lines = new ArrayList<String>();
        all.forEach(status -> {
            lines.addAll(BackendBoard.lines(status, session.clock().instant(), session.terminal()));
            lines.add("  endpoint   "
                    + (answers(plane, status.name()) ? status.endpoint() : "not hosted; 'tuna host' hosts it"));
            status.problems().forEach(problem -> lines.add("  ! " + Printable.line(problem)));
        });
        List<Object> shown = all.stream().map(status -> shown(plane, status)).toList();
        print(
                name.value().isPresent() ? shown.get(0) : shown,
                table(all),
                lines.isEmpty() ? List.of("Nothing is deployed.") : lines);
        return ExitCode.DONE;
    }

    private static Object shown(ControlPlane plane, DeploymentStatus status) {
        return answers(plane, status.name()) ? status : JsonText.without(status, "endpoint");
    }

    /** Whether it has an endpoint beyond this command: one that the command opened ends with it. */
    private static boolean answers(ControlPlane plane, String name) {
        return !(plane instanceof Tuna tuna) || tuna.routerVms().find(name).isPresent();
    }

    private static Table table(List<DeploymentStatus> all) {
        var table = new Table(
                "NAME",
                "TIER",
                "PROVIDER",
                "BACKEND",
                "PHASE",
                "LOCATION",
                "CONTAINERS",
                "IN FLIGHT",
                "SINCE",
                "TAKEN AT",
                "LEAVE SINCE",
                "GPU PERCENT",
                "GPU MIB",
                "OF MIB",
                "DETAIL");
        all.forEach(status -> status.backends()
                .forEach(backend -> table.row(
                        status.name(),
                        backend.tier().name().toLowerCase(Locale.ROOT),
                        backend.provider(),
                        backend.id(),
                        backend.phase().name().toLowerCase(Locale.ROOT),
                        backend.location(),
                        String.valueOf(backend.containers()),
                        String.valueOf(backend.inFlight()),
                        backend.startedAt().toString(),
                        backend.interruptionAt().map(Instant::toString).orElse(""),
                        backend.rebalanceAt().map(Instant::toString).orElse(""),
                        backend.gpu()
                                .map(gpu -> String.valueOf(gpu.utilization()))
                                .orElse(""),
                        backend.gpu().map(gpu -> String.valueOf(gpu.usedMib())).orElse(""),
                        backend.gpu().map(gpu -> String.valueOf(gpu.totalMib())).orElse(""),
                        backend.detail())));
        return table;
    }
}
