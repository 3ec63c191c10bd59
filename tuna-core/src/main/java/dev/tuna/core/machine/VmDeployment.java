package dev.tuna.core.machine;

import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.RollReport;
import dev.tuna.api.Secret;
import dev.tuna.api.TunaException;
import dev.tuna.core.control.Archive;
import dev.tuna.core.control.Controller;
import dev.tuna.core.remote.ElsewhereDeployment;
import dev.tuna.core.remote.RemoteControlPlane;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * A handle on a deployment that lives on a router VM, or is on its way there. It follows the deployment when that comes back.
 * Immutable and thread-safe.
 */
record VmDeployment(RouterVms vms, Controller controller, String name) implements ElsewhereDeployment {

    private Archive.Away away() {
        return controller.archive().away(name);
    }

    /** As it is here, once it has come back: because its machine was lost, or because somebody took it back. */
    private Optional<Deployment> home() {
        return vms.isHere(name) ? controller.find(name) : Optional.empty();
    }

    /** As it ended, if it is over. */
    private Optional<Archive.Ended> ended() {
        return vms.isHere(name) ? controller.archive().ended(name) : Optional.empty();
    }

    /** Wherever it is looked after; waits until it is. */
    private Deployment settled() {
        return vms.awaitSettled(name)
                .map(plane -> plane.deployment(name).orElseThrow(() -> Roster.notThere(name)))
                .or(this::home)
                .orElseThrow(() -> Roster.notThere(name));
    }

    @Override
    public DeployRequest request() {
        return home().map(Deployment::request)
                .or(() -> there(plane -> plane.deployment(name).map(Deployment::request))
                        .flatMap(request -> request))
                .orElseGet(() -> away().request());
    }

    @Override
    public DeployRequest knownRequest() {
        return away().request();
    }

    @Override
    public Optional<URI> knownEndpoint() {
        return vms.knownEndpoint(name);
    }

    @Override
    public CompletableFuture<URI> endpointLater() {
        return vms.later(this::endpoint);
    }

    @Override
    public CompletableFuture<Optional<String>> certificateLater() {
        return vms.later(this::certificate);
    }

    /** Waits until the machine has an address. */
    @Override
    public URI endpoint() {
        return home().map(Deployment::endpoint).orElseGet(() -> vms.awaitEndpoint(name));
    }

    @Override
    public Optional<Secret> apiKey() {
        return home().flatMap(Deployment::apiKey).or(() -> away().apiKey());
    }

    /** Waits until it is looked after there. */
    @Override
    public Optional<String> certificate() {
        return settled().certificate();
    }

    @Override
    public DeploymentStatus status() {
        return home().map(Deployment::status)
                .or(() -> there(plane -> plane.status(name)))
                .or(() -> ended().map(Archive.Ended::status))
                .orElseGet(this::onItsWay);
    }

    /** As it was handed over, and what it waits for. */
    private DeploymentStatus onItsWay() {
        DeploymentStatus before = away().status();
        return new DeploymentStatus(
                name,
                before.phase(),
                vms.knownEndpoint(name).orElseGet(before::endpoint),
                before.spotState(),
                before.backends(),
                before.traffic(),
                before.createdAt(),
                List.of(vms.whereItIs(name)),
                before.roll());
    }

    @Override
    public CostReport cost() {
        return home().map(Deployment::cost)
                .or(() -> there(plane -> plane.cost(name)))
                .or(() -> ended().map(Archive.Ended::cost))
                .orElseGet(() -> away().cost());
    }

    /** Empty while nobody there can be asked; what is refused there is refused here. */
    private <T> Optional<T> there(Function<RemoteControlPlane, T> question) {
        try {
            return vms.arrived(name).map(question);
        } catch (TunaException e) {
            if (e.retryable() || Returns.LOST.contains(e.code())) {
                return Optional.empty();
            }
            throw e;
        }
    }

    @Override
    public CompletableFuture<Deployment> ready() {
        return vms.later(() -> vms.insist(() -> settled().ready().join())).thenApply(ready -> this);
    }

    @Override
    public CompletableFuture<RollReport> rolled() {
        return vms.later(() -> vms.insist(() -> settled().rolled().join()));
    }

    @Override
    public CompletableFuture<DestroyReport> destroy() {
        return home().map(Deployment::destroy).orElseGet(() -> vms.destroy(name));
    }

    @Override
    public String toString() {
        return "deployment '" + name + "'";
    }
}
