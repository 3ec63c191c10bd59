package dev.tuna.core.control;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.PreflightReport;
import dev.tuna.core.budget.Restraint;
import dev.tuna.router.BackendFailure;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessObservation;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the control loop hears about one deployment. Answers carry the generation they were asked in. */
sealed interface Message {

    /** Time has passed. */
    record Tick() implements Message {}

    /** A request came that no ready replica could take. */
    record Demand() implements Message {}

    /** A request failed through a backend's fault. */
    record Fault(String backend, BackendFailure failure) implements Message {}

    /** Somebody wants the deployment gone. */
    record DestroyAsked() implements Message {}

    /** Numbers of the request that need nothing from a provider have changed. */
    record Adjusted(DeployRequest request, Optional<String> cloud) implements Message {}

    /** Something else is to be heeded for the sake of money. */
    record Budgeted(Restraint restraint) implements Message {}

    /** Something that runs already is to be a backend from now on. */
    record Joined(List<Stray> strays) implements Message {}

    /** Serverless providers were looked for. */
    record Chosen(long generation, Result<Selection> result) implements Message {}

    /** The cloud of the fleet was checked. */
    record SpotChecked(long generation, Result<PreflightReport> result) implements Message {}

    /** Launches were planned. */
    record LaunchesPrepared(long generation, Purpose purpose, Result<Prepared> result) implements Message {}

    /** A begin or launch returned. */
    record Made(String backend, long generation, Result<ResourceRef> result) implements Message {}

    /** A destroy or terminate returned. */
    record EndAccepted(String backend, long generation, Result<ResourceRef> result) implements Message {}

    /** A readiness request ended; with the reason if it failed. */
    record Probed(String backend, long generation, Optional<String> fault) implements Message {}

    /** A serverless endpoint was looked at. */
    record EndpointSeen(String backend, long generation, Result<ServerlessObservation> result) implements Message {}

    /** The fleet was looked at; observations by backend. */
    record FleetSeen(long generation, Result<Map<String, ReplicaObservation>> result) implements Message {}

    /** What a cloud had beside the replicas was removed. */
    record CleanedUp(long generation, Result<String> result) implements Message {}

    /** No plugin has a helper left, and the last traces inside the installation were removed. */
    record Concluded(long generation, Result<String> result) implements Message {}
}
