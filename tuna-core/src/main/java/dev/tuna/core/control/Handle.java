package dev.tuna.core.control;

import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.Secret;
import java.net.URI;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** A user's handle on a deployment. Immutable and thread-safe. */
record Handle(Controller controller, Slot slot) implements Deployment {

    @Override
    public String name() {
        return slot.state().name();
    }

    @Override
    public DeployRequest request() {
        return slot.state().request();
    }

    @Override
    public URI endpoint() {
        return controller.endpoint();
    }

    @Override
    public Optional<Secret> apiKey() {
        return slot.keys().router();
    }

    @Override
    public DeploymentStatus status() {
        return controller.status(slot);
    }

    @Override
    public CostReport cost() {
        return controller.cost(slot);
    }

    @Override
    public CompletableFuture<Deployment> ready() {
        return slot.ready().copy();
    }

    @Override
    public CompletableFuture<DestroyReport> destroy() {
        return controller.destroy(slot);
    }

    @Override
    public String toString() {
        return "deployment '" + name() + "'";
    }
}
