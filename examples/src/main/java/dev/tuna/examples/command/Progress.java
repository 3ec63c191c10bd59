package dev.tuna.examples.command;

import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DeploymentEvent.Kind;
import dev.tuna.examples.terminal.Display;

/**
 * Says what happens to deployments. Fed with events from any thread.
 *
 * <p>Where a board shows every step of every backend, the lines leave those out.
 */
record Progress(Display display) {

    void on(DeploymentEvent event) {
        if (event.kind() != Kind.BACKEND_PROGRESS || !display.terminal().live()) {
            display.say(event.backend().isPresent() ? event.message() : event.deployment() + ": " + event.message());
        }
    }
}
