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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What users are shown of a deployment. Pure. */
final class Reports {

    private Reports() {}

    /**
     * The status of a deployment.
     *
     * @param current the revision that serves
     * @param others revisions that are to follow it, or are being removed
     */
    static DeploymentStatus status(
            Managed current, List<Managed> others, RouteLoad load, URI endpoint, ControlTimings timings) {
        return new DeploymentStatus(
                current.name(),
                current.phase(),
                endpoint,
                current.isOver() ? SpotState.COLD : current.spotState(),
                Stream.concat(Stream.of(current), others.stream())
                        .flatMap(managed -> managed.present().stream())
                        .map(backend -> backend(backend, load))
                        .toList(),
                Traffic.sum(current.accounts().before(), load.traffic()),
                current.createdAt(),
                problems(current, others),
                others.stream()
                        .filter(other -> other.revision().role() == Revision.Role.SUCCESSOR)
                        .map(successor -> roll(successor, timings))
                        .findFirst());
    }

    private static List<String> problems(Managed current, List<Managed> others) {
        if (current.goal() == Goal.FAIL && current.isOver()) {
            return List.of(current.reason());
        }
        var problems = new ArrayList<>(current.problems().values());
        others.forEach(other -> other.problems()
                .values()
                .forEach(problem -> problems.add("revision " + other.revision().number() + ": " + problem)));
        return problems;
    }

    private static DeploymentStatus.Roll roll(Managed successor, ControlTimings timings) {
        Revision revision = successor.revision();
        return new DeploymentStatus.Roll(
                revision.number(),
                successor.request(),
                revision.askedAt(),
                revision.since().wall().plus(timings.rollDeadline()));
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
                backend.interruptionAt(),
                backend.rebalanceAt(),
                backend.gpu());
    }

    /** A machine that is up counts as starting its engine until it has answered for the first time. */
    static BackendPhase phase(Backend backend) {
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

    /**
     * The bill of a deployment, all its revisions together.
     *
     * @param managed the revision that serves
     * @param others revisions that are not over, beside it
     * @param past what revisions that are over have cost, as far as the first one's books do not have it
     * @param rent its part of the machine that it is looked after on
     */
    static CostReport cost(Managed managed, List<Managed> others, Tally past, Optional<OpenSpan> rent, Now now) {
        Stream<OpenSpan> backends = Stream.concat(Stream.of(managed), others.stream())
                .flatMap(revision -> revision.present().stream())
                .flatMap(
                        backend -> backend.meter().stream().map(meter -> meter.open(now.wall(), backend.containers())));
        Tally entered = past;
        for (Managed other : others) {
            entered = entered.plus(other.accounts().tally());
        }
        Accounts accounts = managed.accounts();
        entered = entered.plus(accounts.tally());
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
                entered.entries(),
                entered.days(),
                Stream.concat(backends, rent.stream()).toList(),
                same.allServerless(accounts.serverlessPrice()),
                same.allOnDemand(accounts.onDemandPrice()));
    }
}
