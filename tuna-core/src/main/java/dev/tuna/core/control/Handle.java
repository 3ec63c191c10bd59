package dev.tuna.core.control;

import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.RollReport;
import dev.tuna.api.Secret;
import java.net.URI;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** A user's handle on a deployment. Immutable and thread-safe. */
record Handle(Controller controller, Service service) implements Deployment {

    @Override
    public String name() {
        return service.name();
    }

    @Override
    public DeployRequest request() {
        return service.current().state().request();
    }

    @Override
    public URI endpoint() {
        return controller.endpoint();
    }

    @Override
    public Optional<Secret> apiKey() {
        return service.current().keys().router();
    }

    @Override
    public Optional<String> certificate() {
        return controller.certificate();
    }

    @Override
    public DeploymentStatus status() {
        return controller.status(service);
    }

    @Override
    public CostReport cost() {
        return controller.cost(service);
    }

    @Override
    public CompletableFuture<Deployment> ready() {
        return service.ready().copy();
    }

    @Override
    public CompletableFuture<RollReport> rolled() {
        return service.rolled().copy();
    }

    @Override
    public CompletableFuture<DestroyReport> destroy() {
        return controller.destroy(service);
    }

    @Override
    public String toString() {
        return "deployment '" + name() + "'";
    }
}
