package dev.tuna.examples.command;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ControlPlane;
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
        boolean hosted = !(plane instanceof Tuna);
        if (access && !hosted) {
            note("nothing answers: no process hosts " + stateDirectory() + "; 'tuna host' hosts it");
            return ExitCode.FAILED;
        }
        return access ? access(plane) : status(plane, hosted);
    }

    private int access(ControlPlane plane) {
        String wanted = name.value().orElseThrow(() -> usage("--access needs the NAME of a deployment"));
        Access found = plane.deployment(wanted)
                .map(deployment -> Access.to(deployment, stateDirectory()))
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.NO_SUCH_DEPLOYMENT,
                        wanted + " is "
                                + plane.status(wanted).phase().name().toLowerCase(Locale.ROOT)
                                + "; nothing answers for it any more"));
        print(found, found.table(), found.lines());
        return ExitCode.DONE;
    }

    private int status(ControlPlane plane, boolean hosted) {
        List<DeploymentStatus> all = name.value()
                .map(one -> List.of(plane.status(one)))
                .orElseGet(() ->
                        plane.deployments().stream().map(one -> one.status()).toList());
        var lines = new ArrayList<String>();
        all.forEach(status -> {
            lines.addAll(BackendBoard.lines(status, session.clock().instant(), session.terminal()));
            lines.add("  endpoint   "
                    + (hosted || isOnVm(plane, status.name())
                            ? status.endpoint()
                            : "not hosted; 'tuna host' hosts it"));
            status.problems().forEach(problem -> lines.add("  ! " + Printable.line(problem)));
        });
        print(
                hosted
                        ? (name.value().isPresent() ? all.get(0) : all)
                        // The endpoint that this command opened ends with it.
                        : (name.value().isPresent()
                                ? JsonText.without(all.get(0), "endpoint")
                                : all.stream()
                                        .map(status -> JsonText.without(status, "endpoint"))
                                        .toList()),
                table(all),
                lines.isEmpty() ? List.of("Nothing is deployed.") : lines);
        return ExitCode.DONE;
    }

    private static boolean isOnVm(ControlPlane plane, String name) {
        return plane instanceof Tuna tuna && tuna.routerVms().find(name).isPresent();
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
