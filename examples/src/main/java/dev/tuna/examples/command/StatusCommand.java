package dev.tuna.examples.command;

import dev.tuna.api.ControlPlane;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.examples.terminal.BackendBoard;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code tuna status}: what runs, backend by backend. */
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description = "Shows the backends of a deployment, or of all.")
final class StatusCommand extends ControlCommand {

    @Mixin
    private final Name name = new Name();

    StatusCommand(Session session) {
        super(session);
    }

    @Override
    int run(ControlPlane plane) {
        List<DeploymentStatus> all = name.value()
                .map(one -> List.of(plane.status(one)))
                .orElseGet(() ->
                        plane.deployments().stream().map(one -> one.status()).toList());
        var lines = new ArrayList<String>();
        all.forEach(status -> {
            lines.addAll(BackendBoard.lines(status, session.clock().instant(), session.terminal()));
            status.problems().forEach(problem -> lines.add("  ! " + problem));
        });
        print(name.value().isPresent() ? all.get(0) : all, lines.isEmpty() ? List.of("Nothing is deployed.") : lines);
        return TunaCli.DONE;
    }
}
