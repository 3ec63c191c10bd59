package dev.tuna.core.remote;

import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.RollReport;
import dev.tuna.api.Secret;
import dev.tuna.api.TimedOutException;
import java.net.URI;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * A handle on a deployment that another process controls, known by its name. Immutable and thread-safe.
 *
 * @param text what was known when the handle was made
 */
record RemoteDeployment(RemoteControlPlane plane, DeploymentText text) implements Deployment {

    @Override
    public String name() {
        return text.name();
    }

    @Override
    public DeployRequest request() {
        return plane.request(name()).orElse(text.request());
    }

    @Override
    public URI endpoint() {
        return text.endpoint().orElseGet(() -> awaited(plane.endpoint(name())));
    }

    @Override
    public Optional<Secret> apiKey() {
        return plane.apiKey(name());
    }

    @Override
    public Optional<String> certificate() {
        return text.elsewhere() ? awaited(plane.certificate(name())) : text.certificate();
    }

    private static <T> T awaited(CompletableFuture<T> later) {
        try {
            return later.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TimedOutException("interrupted while waiting for the machine of a deployment");
        }
    }

    @Override
    public DeploymentStatus status() {
        return plane.status(name());
    }

    @Override
    public CostReport cost() {
        return plane.cost(name());
    }

    @Override
    public CompletableFuture<Deployment> ready() {
        return plane.ready(name()).thenApply(ready -> this);
    }

    @Override
    public CompletableFuture<RollReport> rolled() {
        return plane.rolled(name());
    }

    @Override
    public CompletableFuture<DestroyReport> destroy() {
        return plane.destroy(name());
    }

    @Override
    public String toString() {
        return "deployment '" + name() + "'";
    }
}
