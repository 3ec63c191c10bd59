package dev.tuna.core.control;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.core.ledger.BilledBackend;
import dev.tuna.core.ledger.ContainerMeter;
import dev.tuna.core.ledger.ContainerRules;
import dev.tuna.core.ledger.EndpointMeter;
import dev.tuna.core.ledger.Metered;
import dev.tuna.core.ledger.Money;
import dev.tuna.core.ledger.ReplicaMeter;
import dev.tuna.core.ledger.SameTraffic;
import dev.tuna.router.BackendLoad;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ResourceRecord.State;
import dev.tuna.spi.ServerlessObservation;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/** Keeps the books: shows meters what is observed, and makes entries of what they say. Pure. */
final class Metering {

    private Metering() {}

    /** Brings reckoned container time up to now, and lets counters be stored when they have changed for long enough. */
    static void advance(Turn turn) {
        for (Backend backend : turn.state().present()) {
            if (backend.meter().orElse(null) instanceof Meter.Containers meter) {
                reckon(turn, backend, meter);
            }
        }
        Accounts accounts = turn.state().accounts();
        if (!accounts.storedAt().plus(turn.timings().checkpointInterval()).isAfter(turn.steady())) {
            var current = new Accounts.Stored(
                    Traffic.sum(accounts.before(), turn.load().traffic()), accounts.same());
            turn.accounts(accounts.withStored(current, turn.steady()));
            turn.state().present().forEach(backend -> turn.backend(backend.id(), Metering::checkpoint));
        }
    }

    private static void checkpoint(Backend.Draft draft) {
        draft.meter = draft.meter.map(
                meter -> meter instanceof Meter.Containers containers ? containers.checkpointed() : meter);
    }

    private static void reckon(Turn turn, Backend endpoint, Meter.Containers meter) {
        ContainerRules rules = meter.rules(turn.state().askedRules());
        BackendLoad load = turn.load().backend(endpoint.id());
        int inFlight = load.inFlight() + (isBeingProbed(endpoint) ? 1 : 0);
        ContainerMeter reckoned = meter.reckoned();
        if (load.attempts() != meter.attempts()) {
            // A request that came and went between two steps needed a container too.
            reckoned = reckoned.step(rules, turn.steady(), Math.max(1, inFlight));
        }
        boolean idle = reckoned.lingering().isEmpty() && reckoned.needed() == 0 && inFlight == 0;
        if (!idle || rules.workersMin() > 0) {
            reckoned = reckoned.step(rules, turn.steady(), inFlight);
        }
        if (!reckoned.equals(meter.reckoned()) || load.attempts() != meter.attempts()) {
            Meter.Containers next = meter.reckoned(reckoned, load.attempts());
            turn.backend(endpoint.id(), draft -> draft.meter = Optional.of(next));
        }
    }

    private static boolean isBeingProbed(Backend endpoint) {
        return endpoint.state() == State.LIVE && endpoint.call().isPresent();
    }

    static void read(Turn turn, Backend endpoint, ServerlessObservation seen) {
        Instant now = turn.now().wall();
        OptionalLong price = Money.microUsdPerHour(seen.usdPerHour());
        Meter.Containers meter = endpoint.meter()
                .map(known -> (Meter.Containers) known)
                .orElseGet(() -> started(turn, endpoint, seen))
                .metered(seen.containerTime());
        boolean enter = seen.phase() == BackendPhase.GONE
                || priceMoved(meter.bill().microUsdPerHour(), price)
                || !meter.bill().since().plus(turn.timings().ledgerInterval()).isAfter(now);
        if (enter) {
            Metered<EndpointMeter> metered = meter.bill().read(now, meter.reading(), price);
            turn.enter(metered.entries());
            if (!metered.entries().isEmpty() || priceMoved(meter.bill().microUsdPerHour(), price)) {
                meter = meter.billed(metered.meter()).checkpointed();
            } else {
                // Nothing was billed up to now, so the next entry begins here and not where the last one ended.
                meter = meter.billed(metered.meter());
            }
        }
        Meter.Containers next = meter;
        turn.backend(endpoint.id(), draft -> draft.meter = Optional.of(next));
    }

    private static boolean priceMoved(OptionalLong known, OptionalLong price) {
        return price.isPresent() && !price.equals(known);
    }

    private static Meter.Containers started(Turn turn, Backend endpoint, ServerlessObservation seen) {
        // Whatever always runs, of what never was nothing did: then a reading is that of an earlier endpoint of its
        // name.
        boolean neverWas = seen.phase() == BackendPhase.GONE && ServerlessSide.isDoubtful(endpoint);
        var bill = new EndpointMeter(
                who(turn, endpoint),
                endpoint.askedAt(),
                seen.containerTime().filter(earlier -> neverWas).orElse(Duration.ZERO),
                Money.microUsdPerHour(seen.usdPerHour()),
                seen.containerTime().isEmpty() && !neverWas);
        ContainerMeter reckoned = ContainerMeter.start(turn.state().askedRules(), endpoint.askedSteady());
        return new Meter.Containers(
                bill, reckoned, reckoned, seen.containerTime(), 0, PlanJson.idleWindow(endpoint.plan()));
    }

    static void read(Turn turn, Backend replica, ReplicaObservation seen) {
        OptionalLong price = Money.microUsdPerHour(seen.usdPerHour());
        Optional<ReplicaMeter> open = replica.meter()
                .map(meter -> ((Meter.Machine) meter).bill())
                .or(() -> seen.launchedAt().map(at -> new ReplicaMeter(who(turn, replica), at, price)));
        open.ifPresent(meter -> {
            boolean ended = seen.phase() == BackendPhase.GONE;
            // A price that is first seen after the end did not begin to hold after it.
            Instant now = turn.now().wall();
            Optional<Instant> known = seen.endedAt().filter(end -> ended);
            Instant until = known.orElseGet(() ->
                    lastEnd(replica).filter(last -> ended && last.isBefore(now)).orElse(now));
            Metered<ReplicaMeter> priced = meter.priced(until, price);
            turn.enter(priced.entries());
            if (ended) {
                ReplicaMeter last = priced.meter();
                turn.enter(until.isBefore(now) && known.isEmpty() ? last.endAbout(until) : last.end(until));
            }
            turn.backend(
                    replica.id(),
                    draft -> draft.meter = ended ? Optional.empty() : Optional.of(new Meter.Machine(priced.meter())));
        });
    }

    private static Optional<Instant> lastEnd(Backend replica) {
        return replica.meter()
                .filter(meter -> meter instanceof Meter.Machine)
                .flatMap(meter -> ((Meter.Machine) meter).lastEnd());
    }

    private static BilledBackend who(Turn turn, Backend backend) {
        return new BilledBackend(turn.state().revision().account(), backend.tier(), backend.provider(), backend.id());
    }

    /** Notes what the traffic would need on one tier alone. */
    static void traffic(Turn turn, int wanted) {
        Accounts accounts = turn.state().accounts();
        TrafficStats traffic = turn.load().traffic();
        int inFlight = traffic.inFlight() + traffic.waiting();
        boolean came = traffic.requests() != accounts.requests();
        SameTraffic same = accounts.same();
        boolean changed = came || inFlight != accounts.inFlight() || Math.max(1, wanted) != same.replicasWanted();
        boolean runsOff = !same.serverless().lingering().isEmpty()
                && same.serverless().at().isBefore(turn.steady());
        if (changed || runsOff) {
            ContainerRules rules = turn.state().containerRules();
            if (came) {
                same = same.step(rules, turn.steady(), Math.max(1, inFlight), wanted);
            }
            same = same.step(rules, turn.steady(), inFlight, wanted);
            turn.accounts(accounts.withSame(same, inFlight, traffic.requests()));
        }
    }
}
