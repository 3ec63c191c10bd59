package dev.tuna.examples.command;

import dev.tuna.api.ControlPlane;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DeploymentEvent.Kind;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.RouterPlacement;
import dev.tuna.core.Tuna;
import dev.tuna.examples.terminal.BackendBoard;
import dev.tuna.examples.terminal.Display;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;

/** Has another process deploy, and follows until every part is up or cannot come up. */
final class Following {

    /** A part that is missing for so long is not waited for; until then it may only be between two tries. */
    private static final Duration MISSING_FOR_GOOD = Duration.ofSeconds(10);

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(500);

    private final HostingCommand command;
    private final Session session;
    private final ControlPlane plane;
    private final CompletableFuture<Void> failed = new CompletableFuture<>();

    /** The deployment that this is about; the other process tells of all of them. Empty until it is accepted. */
    private volatile String about = "";

    Following(HostingCommand command, ControlPlane plane) {
        this.command = command;
        this.session = command.session;
        this.plane = plane;
    }

    /** Whether the other process has taken it on. */
    boolean isAccepted() {
        return !about.isEmpty();
    }

    int deploy(DeployRequest request, boolean noWait) {
        try (Display display = command.display()) {
            plane.events(event -> heard(event, display));
            Deployment deployment = plane.deploy(request);
            about = deployment.name();
            if (deployment.status().phase() == DeploymentPhase.FAILED) {
                failed.complete(null);
            }
            display.board(() ->
                    BackendBoard.lines(deployment.status(), session.clock().instant(), display.terminal()));
            int exitCode = noWait ? ExitCode.DONE : untilSettled(deployment);
            display.board(java.util.List::of);
            if (failed.isDone()) {
                command.forgetSecrets(request);
            }
            if (exitCode != ExitCode.FAILED) {
                command.print(Access.to(deployment, command.stateDirectory()), display);
            }
            return exitCode;
        }
    }

    private void heard(DeploymentEvent event, Display display) {
        new Progress(display).on(event);
        boolean over = event.kind() == Kind.FAILED || event.kind() == Kind.DESTROYED;
        if (over && event.deployment().equals(about)) {
            failed.complete(null);
        }
    }

    private int untilSettled(Deployment deployment) {
        Instant missingSince = Instant.MAX;
        // On its way to a machine it has no parts yet.
        CompletableFuture<?> there = deployment.request().routerPlacement() == RouterPlacement.SEPARATE_VM
                ? deployment.ready()
                : CompletableFuture.completedFuture(null);
        while (!failed.isDone()) {
            DeploymentStatus status = deployment.status();
            Parts parts = Parts.of(status, deployment.request());
            Instant now = session.clock().instant();
            boolean missing = parts.exitCode() != ExitCode.DONE;
            missingSince = !missing ? Instant.MAX : missingSince.isAfter(now) ? now : missingSince;
            boolean forGood = missing && !missingSince.plus(MISSING_FOR_GOOD).isAfter(now);
            if (there.isDone() && parts.settled() && (!missing || forGood)) {
                status.problems().forEach(command::note);
                return parts.exitCode();
            }
            if (isInterrupted()) {
                command.note(deployment.name() + goesOn(deployment) + "; 'tuna status " + deployment.name()
                        + "' shows how far it is, 'tuna destroy " + deployment.name() + "' takes it down");
                return ExitCode.BROKEN_OFF;
            }
        }
        return ExitCode.FAILED;
    }

    /** What this process began for a machine that is not up yet ends with it, until the next process takes it up. */
    private String goesOn(Deployment deployment) {
        return plane instanceof Tuna && !deployment.ready().isDone()
                ? " is on its way to its machine, and goes on as soon as a command is given"
                : " goes on coming up";
    }

    private boolean isInterrupted() {
        var either = CompletableFuture.anyOf(session.interrupted(), failed);
        return Session.isDoneWithin(either, BETWEEN_LOOKS) && !failed.isDone();
    }
}
