package dev.tuna.core.control;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DeploymentStatus.BackendStatus;
import dev.tuna.api.SpotState;
import dev.tuna.core.ledger.Bill;
import dev.tuna.core.ledger.OpenSpan;
import dev.tuna.core.ledger.SameTraffic;
import dev.tuna.router.RouteLoad;
import dev.tuna.spi.CapacityPool;
import java.net.URI;
import java.util.List;

/** What users are shown of a deployment. Pure. */
final class Reports {

    private Reports() {}

    static DeploymentStatus status(Managed managed, RouteLoad load, URI endpoint) {
        return new DeploymentStatus(
                managed.name(),
                managed.phase(),
                endpoint,
                managed.isOver() ? SpotState.COLD : managed.spotState(),
                managed.present().stream()
                        .map(backend -> backend(backend, load))
                        .toList(),
                Traffic.sum(managed.accounts().before(), load.traffic()),
                managed.createdAt(),
                managed.goal() == Goal.FAIL && managed.isOver()
                        ? List.of(managed.reason())
                        : List.copyOf(managed.problems().values()));
    }

    private static BackendStatus backend(Backend backend, RouteLoad load) {
        return new BackendStatus(
                backend.id(),
                backend.provider(),
                backend.tier(),
                phase(backend),
                backend.detail(),
                backend.pool().map(Reports::location).orElse(""),
                backend.containers().orElse(backend.isServerless() ? 0 : 1),
                load.backend(backend.id()).inFlight(),
                backend.askedAt(),
                backend.interruptionAt());
    }

    /** A machine that is up counts as starting its engine until it has answered for the first time. */
    private static BackendPhase phase(Backend backend) {
        if (backend.isDraining() && backend.phase() != BackendPhase.FAILED) {
            return BackendPhase.DRAINING;
        }
        boolean silent =
                backend.phase() == BackendPhase.READY && backend.readyAt().isEmpty() && !backend.isServerless();
        return silent ? BackendPhase.ENGINE : backend.phase();
    }

    private static String location(CapacityPool pool) {
        return pool.region() + " " + pool.zone() + " " + pool.machineType();
    }

    static CostReport cost(Managed managed, Now now) {
        List<OpenSpan> running = managed.present().stream()
                .flatMap(backend -> backend.meter().stream().map(meter -> meter.open(now.wall(), backend.containers())))
                .toList();
        Accounts accounts = managed.accounts();
        SameTraffic same = managed.isOver()
                ? accounts.same()
                : accounts.same()
                        .step(
                                managed.containerRules(),
                                now.steady(),
                                accounts.inFlight(),
                                accounts.same().replicasWanted());
        return Bill.report(
                managed.name(),
                managed.createdAt(),
                now.wall(),
                accounts.tally().entries(),
                running,
                same.allServerless(accounts.serverlessPrice()),
                same.allOnDemand(accounts.onDemandPrice()));
    }
}
