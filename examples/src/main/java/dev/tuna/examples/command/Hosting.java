package dev.tuna.examples.command;

import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DeploymentEvent.Kind;
import dev.tuna.examples.terminal.BackendBoard;
import dev.tuna.examples.terminal.Display;
import java.util.concurrent.CompletableFuture;

/**
 * Shows how a deployment gets on while this process hosts it. Fed with events from any thread.
 *
 * <p>Where a board shows every step of every backend, the lines leave those out.
 */
final class Hosting {

    private final Session session;
    private final Display display;
    private final CompletableFuture<Integer> ended = new CompletableFuture<>();

    Hosting(Session session, Display display) {
        this.session = session;
        this.display = display;
    }

    /** Something happened to a deployment. */
    void on(DeploymentEvent event) {
        if (event.kind() != Kind.BACKEND_PROGRESS || !display.terminal().live()) {
            display.say(event.backend().isPresent() ? event.message() : event.deployment() + ": " + event.message());
        }
        if (event.kind() == Kind.FAILED) {
            ended.complete(TunaCli.FAILED);
        } else if (event.kind() == Kind.DESTROYED) {
            ended.complete(TunaCli.DONE);
        }
    }

    /**
     * Hosts until the person interrupts or the deployment is no more.
     *
     * @return exit code
     */
    int untilEnd(Deployment deployment) {
        display.board(
                () -> BackendBoard.lines(deployment.status(), session.clock().instant(), display.terminal()));
        CompletableFuture<Integer> interrupted = session.interrupted().thenApply(nothing -> TunaCli.DONE);
        return ended.applyToEither(interrupted, exitCode -> exitCode).join();
    }
}
