package dev.tuna.core.control;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.CapacityException;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.Tier;
import dev.tuna.api.TunaException;
import dev.tuna.core.autoscale.Autoscaler;
import dev.tuna.core.autoscale.FleetView;
import dev.tuna.core.autoscale.ScalingDecision;
import dev.tuna.core.autoscale.ScalingMemory;
import dev.tuna.core.autoscale.Signals;
import dev.tuna.core.budget.LastPrice;
import dev.tuna.core.budget.Restraint;
import dev.tuna.core.ledger.Money;
import dev.tuna.core.placement.PoolHistory;
import dev.tuna.core.reconcile.FleetAction;
import dev.tuna.core.reconcile.Reconciler;
import dev.tuna.core.reconcile.ReplicaView;
import dev.tuna.core.reconcile.ReplicaView.Stage;
import dev.tuna.core.text.DurationText;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ResourceRecord.State;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The rented half of a deployment: keeps as many replicas as the traffic asks for. Pure. */
final class FleetSide {

    static final String TOPIC = "fleet";

    /** What looks at all replicas at once go by; no endpoint has this id. */
    static final String REPLICAS = "";

    /** What a doomed replica still has goes on elsewhere this long before its cloud takes it, so that it ends in order. */
    private static final Duration BEFORE_INTERRUPTION = Duration.ofSeconds(5);

    /** What its cloud has not taken so long after the time that it announced is ended by us. */
    private static final Duration AFTER_INTERRUPTION = Duration.ofSeconds(5);

    /** The last replica takes no new work for so long before it is taken, whatever stands in for it. */
    private static final Duration LAST_WORK = Duration.ofSeconds(30);

    /** Containers that the traffic would have kept up lately, from which on it is worth waking one before it is needed. */
    private static final double SOME_TRAFFIC = 0.05;

    /** A replica that serves for so long has come up for good; one that breaks sooner counts as one that did not. */
    static final Duration PROVEN = Duration.ofMinutes(10);

    private static final BigDecimal MICRO_USD = BigDecimal.ONE.movePointLeft(6);

    private FleetSide() {}

    static void serve(Turn turn) {
        ScalingDecision decision = scale(turn);
        Fleet fleet = turn.state().fleet();
        if (fleet.cloud().isEmpty()) {
            return;
        }
        if (!fleet.usable()) {
            check(turn, fleet);
        }
        if (fleet.bootFailures() > 0
                && turn.state().replicas().anyMatch(replica -> isProven(turn, replica) && isNewer(replica, fleet))) {
            proven(turn);
        }
        int target = FleetAim.target(turn, decision);
        if (turn.state().replicas(FleetSide::staysServing) > 0) {
            // What was woken to stand in need not be kept warm.
            turn.state()
                    .endpoints()
                    .filter(Backend::check)
                    .toList()
                    .forEach(endpoint -> turn.backend(endpoint.id(), draft -> draft.check = false));
        } else if (turn.state().fleet().last().keepsFirstTokens()) {
            ServerlessSide.wake(turn);
        }
        if (fleet.usable() && turn.state().replicas(Backend::serves) >= target) {
            // Nobody waits for a machine any more, so it is no problem that there was none.
            turn.solved(TOPIC);
        }
        ScalingPolicy.Spot policy = turn.state().scaling().spot();
        Restraint restraint = turn.state().restraint();
        if (target == 0 || restraint.usdPerHour().isEmpty()) {
            turn.solved(Restraint.RATE_TOPIC);
        }
        List<FleetAction> actions = Reconciler.reconcile(
                restraint.within(
                        target,
                        turn.state().replicas(Backend::isWanted),
                        fleet.price().at(turn.steady())),
                restraint.limit(policy.maxReplicas()),
                views(turn),
                turn.timings().bootDeadline(),
                turn.steady());
        actions.forEach(action -> act(turn, explained(turn, action), target));
        replaceListPrice(turn, target);
    }

    private static boolean staysServing(Backend replica) {
        return replica.serves() && replica.interruptionAt().isEmpty();
    }

    /**
     * Machines at list price serve until spot has taken over: of too many the dearest goes first. A full fleet has room for one
     * more meanwhile, or it would pay the list price for as long as it is full.
     */
    private static void replaceListPrice(Turn turn, int target) {
        Managed state = turn.state();
        boolean room = places(state, 1) > 0 && isMoneyForAnother(turn, target);
        boolean rested = !state.fleet().relocateAfter().isAfter(turn.steady());
        if (target > 0 && servesAtListPrice(state) && room && rested && booting(state) == 0) {
            prepare(turn, 1, false, Purpose.LIST_PRICE);
        }
    }

    private static boolean servesAtListPrice(Managed state) {
        return atListPrice(state).findAny().isPresent();
    }

    private static Stream<Backend> atListPrice(Managed state) {
        return state.replicas().filter(replica -> replica.tier() == Tier.ON_DEMAND && replica.serves());
    }

    /** What the next replica may cost: for spot that costs no less than the list price nothing is given up. */
    private static Optional<BigDecimal> usdLeft(Turn turn, Purpose purpose) {
        Managed state = turn.state();
        Optional<BigDecimal> listPrice = purpose == Purpose.LIST_PRICE
                ? atListPrice(state)
                        .flatMap(replica -> Purse.price(replica).stream())
                        .max(BigDecimal::compareTo)
                        .map(usd -> usd.subtract(MICRO_USD))
                : Optional.empty();
        return Stream.concat(Purse.left(state, state.fleet().price().at(turn.steady())).stream(), listPrice.stream())
                .min(BigDecimal::compareTo);
    }

    /** Nobody waits for it, so it never comes before what is missing, and rests where it was in vain. */
    private static void relocate(Turn turn, int count) {
        Fleet fleet = turn.state().fleet();
        int possible = Math.min(count, room(turn, 1));
        boolean comeUp = fleet.bootFailures() == 0;
        if (possible > 0 && comeUp && !fleet.relocateAfter().isAfter(turn.steady())) {
            prepare(turn, possible, false, Purpose.RELOCATION);
        }
    }

    /** How many more may be asked for. */
    private static int room(Turn turn, int beyondTheMost) {
        return Math.min(places(turn.state(), beyondTheMost), launchable(turn));
    }

    /** How many of those that are prepared may be launched: limits may have been lowered since they were asked for. */
    private static int room(Turn turn, int beyondTheMost, Prepared prepared) {
        return Math.max(0, Math.min(places(turn.state(), beyondTheMost), affordable(turn, prepared)));
    }

    private static int places(Managed state, int beyondTheMost) {
        int most = state.restraint().limit(state.scaling().spot().maxReplicas());
        return (most == 0 ? 0 : most + beyondTheMost) - state.replicas(Backend::takesRoom);
    }

    private static int launchable(Turn turn) {
        Managed state = turn.state();
        return state.restraint().launchable(state.fleet().price().at(turn.steady()))
                - state.replicas(Backend::isWanted);
    }

    /** How many launches there is money for, however dear their machines come. */
    private static int affordable(Turn turn, Prepared prepared) {
        Managed state = turn.state();
        Optional<BigDecimal> left = Purse.left(state, state.fleet().price().at(turn.steady()));
        if (left.isEmpty() || !state.restraint().holdsRateOnly() || !prepared.isPriced()) {
            return launchable(turn);
        }
        BigDecimal rest = left.get();
        int number = 0;
        for (Prepared.Launch launch : prepared.launches()) {
            rest = rest.subtract(launch.usdPerHour().orElseThrow());
            if (rest.signum() < 0) {
                break;
            }
            number++;
        }
        return number;
    }

    /** Both run for a while. That the dearer one goes then is not counted on. */
    private static boolean isMoneyForAnother(Turn turn, int target) {
        Managed state = turn.state();
        Optional<BigDecimal> last = state.fleet().price().at(turn.steady());
        OptionalLong spot = state.fleet().spotPrice();
        return Purse.left(state, last)
                .filter(left -> state.restraint().holdsRateOnly())
                .flatMap(left -> Money.usd(spot).map(usd -> usd.compareTo(left) <= 0))
                .orElseGet(() -> state.restraint().launchable(last) > target);
    }

    /** What money is saved by ending is not ended for lack of traffic. */
    private static FleetAction explained(Turn turn, FleetAction action) {
        Restraint restraint = turn.state().restraint();
        boolean forMoney = restraint.endsReplicas()
                && action instanceof FleetAction.Drain drain
                && turn.find(drain.id())
                        .filter(replica -> replica.interruptionAt().isEmpty())
                        .isPresent();
        return forMoney ? new FleetAction.Drain(((FleetAction.Drain) action).id(), restraint.reason()) : action;
    }

    /** Whether it has served for so long that it will not break down on account of what it is made of. */
    private static boolean isProven(Turn turn, Backend replica) {
        return replica.readyAt()
                .map(ready -> !ready.plus(PROVEN).isAfter(turn.steady()))
                .orElse(false);
    }

    /** Whether it shows that replicas come up again: it became ready after the last one that did not. */
    private static boolean isNewer(Backend replica, Fleet fleet) {
        return fleet.bootFailures() > 0
                && replica.readyAt()
                        .map(ready -> ready.isAfter(fleet.bootFailedAt()))
                        .orElse(false);
    }

    private static void proven(Turn turn) {
        turn.fleet(draft -> {
            draft.bootFailures = 0;
            draft.retry = Retry.NONE;
        });
        turn.solved(TOPIC);
    }

    private static ScalingDecision scale(Turn turn) {
        Managed state = turn.state();
        Signals signals = new Signals(
                turn.load().traffic().requests(),
                turn.load().tokens(),
                turn.load().traffic().inFlight(),
                turn.load().traffic().waiting(),
                state.fleet().demand());
        ScalingDecision decision = Autoscaler.decide(
                state.scaling().spot(),
                state.scaling().serverless().concurrency(),
                signals,
                new FleetView(booting(state), lastReadyAt(state)),
                turn.steady(),
                state.fleet().scaling());
        if (!decision.memory().equals(state.fleet().scaling()) || state.fleet().demand()) {
            turn.fleet(fleet -> {
                fleet.scaling = decision.memory();
                fleet.demand = false;
            });
        }
        Metering.traffic(turn, decision.wanted());
        return decision;
    }

    private static int booting(Managed state) {
        return state.replicas(replica -> replica.isWanted() && !replica.isReady());
    }

    private static Optional<Instant> lastReadyAt(Managed state) {
        return state.replicas().flatMap(replica -> replica.readyAt().stream()).max(Instant::compareTo);
    }

    /** Limits and delays hold from the next decision on; a deployment that did without replicas may have some now. */
    static void adjusted(Turn turn, Message.Adjusted message) {
        turn.change(state -> state.with(draft -> draft.request(message.request())));
        if (turn.state().fleet().cloud().isEmpty()) {
            turn.fleet(fleet -> {
                fleet.cloud = message.cloud();
                fleet.scaling = ScalingMemory.startingAt(
                        Fleet.firstTarget(turn.state().scaling().spot()));
            });
        }
    }

    private static void check(Turn turn, Fleet fleet) {
        if (fleet.call().isEmpty() && fleet.retry().isDue(turn.steady())) {
            Call call = turn.ask(
                    turn.timings().callLimit(),
                    generation -> new Effect.CheckSpot(generation, fleet.cloud().orElseThrow()));
            turn.fleet(draft -> draft.call = Optional.of(call));
        }
    }

    static void checked(Turn turn, Message.SpotChecked message) {
        Fleet fleet = turn.state().fleet();
        if (isLate(fleet.call(), message.generation())) {
            return;
        }
        Optional<String> refusal = message.result()
                .failure()
                .map(failure -> String.valueOf(failure.getMessage()))
                .or(() -> message.result()
                        .value()
                        .filter(report -> !report.passed())
                        .map(Specs::failures));
        boolean retryable = message.result()
                .failure()
                .map(TunaException::retryable)
                .or(() -> message.result().value().map(PreflightReport::retryable))
                .orElse(false);
        turn.fleet(draft -> {
            draft.call = Optional.empty();
            draft.checked = !retryable;
            draft.usable = refusal.isEmpty();
            draft.retry = refusal.isEmpty()
                    ? Retry.NONE
                    : retryable
                            ? turn.failed(fleet.retry())
                            : fleet.retry()
                                    .pausedUntil(
                                            turn.steady().plus(turn.timings().retryMax()));
        });
        refusal.ifPresentOrElse(
                reason -> turn.problem(TOPIC, fleet.cloud().orElseThrow() + " cannot rent replicas: " + reason),
                () -> turn.solved(TOPIC));
    }

    private static List<ReplicaView> views(Turn turn) {
        var views = new ArrayList<ReplicaView>();
        for (Backend replica : turn.state().present()) {
            if (!replica.isServerless()) {
                views.add(new ReplicaView(
                        replica.id(),
                        replica.tier(),
                        stage(replica),
                        replica.detail(),
                        Reports.phase(replica),
                        replica.readyAt().orElse(replica.askedSteady()),
                        replica.interruptionAt().isPresent(),
                        replica.isLeavable(turn.steady()),
                        replica.drainUntil(),
                        turn.load().backend(replica.id()).inFlight(),
                        price(replica)));
            }
        }
        return views;
    }

    private static Stage stage(Backend replica) {
        if (replica.state() == State.ENDING || (replica.state() == State.INTENDED && replica.isDraining())) {
            return Stage.ENDING;
        }
        if (replica.isDraining()) {
            return Stage.DRAINING;
        }
        if (replica.phase() == BackendPhase.FAILED || replica.suspect() >= Brain.SUSPECT_LIMIT) {
            return Stage.BROKEN;
        }
        return replica.isReady() ? Stage.READY : Stage.BOOTING;
    }

    static OptionalLong price(Backend replica) {
        return replica.meter()
                .filter(meter -> meter instanceof Meter.Machine)
                .map(meter -> ((Meter.Machine) meter).bill().microUsdPerHour())
                .orElse(OptionalLong.empty());
    }

    private static void act(Turn turn, FleetAction action, int target) {
        if (action instanceof FleetAction.Launch launch) {
            prepare(turn, launch.count(), FleetAim.allowsOnDemand(turn, target), Purpose.MISSING);
        } else if (action instanceof FleetAction.Relocate relocate) {
            relocate(turn, relocate.count());
        } else if (action instanceof FleetAction.Drain drain) {
            if (!waitsForStandIn(turn, turn.find(drain.id()).orElseThrow())) {
                drain(turn, drain);
            }
        } else if (action instanceof FleetAction.End end) {
            end(turn, end);
        }
    }

    /** The last replica goes on until serverless is awake, if it was woken, and as long as there is time for both. */
    private static boolean waitsForStandIn(Turn turn, Backend replica) {
        boolean inTime = replica.interruptionAt()
                .map(at -> turn.now().wall().plus(LAST_WORK).isBefore(at))
                .orElse(false);
        return inTime
                && turn.state().replicas(FleetSide::staysServing) == 0
                && turn.state().endpoints().anyMatch(endpoint -> endpoint.check() && endpoint.isWanted());
    }

    private static void prepare(Turn turn, int count, boolean onDemandAllowed, Purpose purpose) {
        Managed state = turn.state();
        Fleet fleet = state.fleet();
        if (!fleet.usable() || fleet.call().isPresent() || !fleet.retry().isDue(turn.steady())) {
            return;
        }
        boolean onTrial = fleet.bootFailures() >= Brain.CRASH_LOOP;
        if (onTrial && booting(state) > 0) {
            return;
        }
        int number = onTrial ? 1 : count;
        List<String> tokens = IntStream.rangeClosed(fleet.launched() + 1, fleet.launched() + number)
                .mapToObj(each -> state.id() + "-r" + each)
                .toList();
        Call call = turn.ask(
                turn.timings().callLimit(),
                generation -> new Effect.Prepare(
                        generation,
                        fleet.cloud().orElseThrow(),
                        tokens,
                        FleetAim.places(state),
                        knownNow(turn),
                        onDemandAllowed,
                        purpose,
                        usdLeft(turn, purpose),
                        turn.steady()));
        turn.fleet(draft -> draft.call = Optional.of(call));
    }

    /** What is at risk stays so for as long as a replica is there that is to be left. */
    private static PoolHistory knownNow(Turn turn) {
        PoolHistory known = turn.state().fleet().history();
        for (Backend replica : turn.state().present()) {
            if (replica.rebalanceAt().isPresent() && replica.pool().isPresent()) {
                known = known.atRisk(replica.pool().get(), turn.steady());
            }
        }
        return known;
    }

    static void prepared(Turn turn, Message.LaunchesPrepared message) {
        Fleet fleet = turn.state().fleet();
        if (isLate(fleet.call(), message.generation())) {
            return;
        }
        turn.fleet(draft -> draft.call = Optional.empty());
        if (message.purpose() == Purpose.RELOCATION) {
            Optional<Prepared> found = message.result()
                    .value()
                    .filter(prepared -> !prepared.launches().isEmpty());
            if (found.isEmpty()) {
                stay(turn, PoolHistory.MEMORY);
            } else if (turn.state().goal() == Goal.SERVE) {
                intend(turn, found.get(), 1, true);
            }
            return;
        }
        message.result().failure().ifPresent(failure -> refused(turn, failure));
        message.result().value().ifPresent(prepared -> {
            turn.accounts(turn.state().accounts().withOnDemandPrice(prepared.onDemandMicroUsdPerHour()));
            prepared.usdPerHour().ifPresent(usd -> priced(turn, usd));
            turn.fleet(draft -> {
                draft.spotPrice =
                        prepared.spotMicroUsdPerHour().isPresent() ? prepared.spotMicroUsdPerHour() : draft.spotPrice;
                prepared.notBefore().ifPresent(moment -> {
                    draft.retry = draft.retry.pausedUntil(moment);
                    draft.drySince = draft.drySince.or(() -> Optional.of(turn.steady()));
                });
            });
            prepared.notBefore()
                    .filter(moment -> prepared.launches().isEmpty())
                    .ifPresent(moment -> allRest(turn, moment));
            boolean nothingCheaper = message.purpose() == Purpose.LIST_PRICE
                    && prepared.launches().isEmpty()
                    && prepared.notBefore().isEmpty();
            if (nothingCheaper) {
                stay(turn, PoolHistory.MEMORY);
            }
            if (message.purpose() != Purpose.LIST_PRICE) {
                tellOfMoney(turn, prepared);
            }
            if (turn.state().goal() == Goal.SERVE) {
                boolean replaces = message.purpose() == Purpose.LIST_PRICE && servesAtListPrice(turn.state());
                intend(turn, prepared, replaces ? 1 : 0, false);
            }
        });
    }

    /** Without it nobody would know why spot stays cold. */
    private static void tellOfMoney(Turn turn, Prepared prepared) {
        Optional<BigDecimal> limit = turn.state().restraint().usdPerHour();
        boolean tooDear = prepared.launches().isEmpty() && prepared.notBefore().isEmpty();
        if (!tooDear || limit.isEmpty() || prepared.usdPerHour().isEmpty()) {
            turn.solved(Restraint.RATE_TOPIC);
        } else {
            turn.problem(
                    Restraint.RATE_TOPIC,
                    "no replica is rented for now: the cheapest costs "
                            + prepared.usdPerHour().get().toPlainString()
                            + " USD an hour, and limits per hour leave "
                            + Purse.left(turn.state(), Optional.empty())
                                    .orElse(limit.get())
                                    .max(BigDecimal.ZERO)
                                    .toPlainString()
                            + " for it; raise the budget, or choose a cheaper GPU or other regions");
        }
    }

    /** Another deployment, or an earlier process, may have been the one that was refused. */
    private static void allRest(Turn turn, Instant until) {
        if (!turn.state().problems().containsKey(TOPIC)) {
            turn.problem(
                    TOPIC,
                    "no replica can be rented at the moment: every pool that fits had no machine or no quota lately; the first one"
                            + " is asked again in " + DurationText.format(Duration.between(turn.steady(), until)));
        }
    }

    private static void intend(Turn turn, Prepared prepared, int beyondTheMost, boolean relocation) {
        prepared.launches().stream()
                .limit(room(turn, beyondTheMost, prepared))
                .forEach(launch -> intend(turn, launch.plan(), relocation));
    }

    private static void priced(Turn turn, BigDecimal usdPerHour) {
        turn.fleet(draft -> draft.price = LastPrice.seen(usdPerHour, turn.steady()));
    }

    /** What might merely be taken is as good as what else there is. */
    private static void stay(Turn turn, Duration pause) {
        turn.fleet(draft -> draft.relocateAfter = turn.steady().plus(pause));
    }

    private static void intend(Turn turn, LaunchPlan plan, boolean relocation) {
        CapacityPool best = plan.pools().get(0);
        int number = turn.state().fleet().launched() + 1;
        turn.fleet(draft -> draft.launched = number);
        String id = turn.state().revision().replica(number);
        turn.add(Backend.intended(id, best.tier(), best.provider(), PlanJson.write(plan), turn.now())
                .with(draft -> draft.relocated = relocation));
    }

    static void notMade(Turn turn, Backend replica, TunaException failure) {
        if (Brain.nothingWasMade(replica, failure)) {
            turn.backend(replica.id(), draft -> {
                draft.enter(State.GONE);
                draft.failed = true;
                draft.detail = String.valueOf(failure.getMessage());
            });
            turn.solved(replica.id());
            held(turn, replica, failure);
            return;
        }
        turn.problem(replica.id(), String.valueOf(failure.getMessage()));
        if (Brain.isRefusal(failure)) {
            // It may be there all the same: it is asked for until its name is known, and then ended.
            turn.backend(replica.id(), draft -> {
                draft.drainUntil = Optional.of(turn.steady());
                draft.failed = true;
                draft.detail = String.valueOf(failure.getMessage());
            });
            held(turn, replica, failure);
        }
    }

    private static void held(Turn turn, Backend replica, TunaException failure) {
        if (failure instanceof CapacityException) {
            ranDry(turn, replica, failure);
        } else {
            refused(turn, failure);
        }
    }

    /** Only these pools rest: others, machines at list price among them, may be asked at once. */
    private static void ranDry(Turn turn, Backend replica, TunaException failure) {
        List<CapacityPool> pools = PlanJson.launch(replica.plan()).pools();
        Instant until = turn.steady().plus(turn.timings().crashLoopPause());
        turn.fleet(draft -> {
            draft.history = failure.code() == ErrorCode.QUOTA
                    ? draft.history.barred(pools, until, turn.steady())
                    : draft.history.dry(pools, turn.steady());
            if (!replica.relocated()) {
                draft.drySince = draft.drySince.or(() -> Optional.of(turn.steady()));
            }
        });
        if (replica.relocated()) {
            // Nobody waits for it.
            stay(turn, PoolHistory.MEMORY);
            return;
        }
        turn.problem(TOPIC, "no replica can be rented at the moment: " + failure.getMessage());
    }

    /** What passes is tried again soon, what its cloud refuses after a long rest, what cannot be sent not at all. */
    private static void refused(Turn turn, TunaException failure) {
        if (failure.retryable()) {
            turn.fleet(draft -> draft.retry = turn.failed(draft.retry));
            turn.problem(TOPIC, "no replica can be rented at the moment: " + failure.getMessage());
        } else if (failure instanceof ConfigurationException && failure.code() != ErrorCode.CLOSED) {
            turn.fleet(draft -> {
                draft.usable = false;
                draft.retry = draft.retry.pausedUntil(Instant.MAX);
            });
            turn.problem(
                    TOPIC,
                    "no replica can be rented and none is asked for any more: " + failure.getMessage()
                            + "; deploy again with other settings");
        } else {
            Duration rest = turn.timings().crashLoopPause();
            turn.fleet(
                    draft -> draft.retry = draft.retry.pausedUntil(turn.steady().plus(rest)));
            turn.problem(
                    TOPIC,
                    "no replica can be rented, the next one is asked for in " + DurationText.format(rest) + ": "
                            + failure.getMessage());
        }
    }

    private static void drain(Turn turn, FleetAction.Drain drain) {
        turn.backend(drain.id(), draft -> {
            // Nobody takes what is given up to save money, and no action breaks off a request.
            boolean forMoney =
                    draft.interruptionAt.isEmpty() && turn.state().restraint().endsReplicas();
            Instant limit = turn.steady()
                    .plus(
                            forMoney
                                    ? turn.timings().rollDrainLimit()
                                    : turn.timings().drainLimit());
            Instant end = draft.interruptionAt
                    .map(at -> turn.steady()
                            .plus(Duration.between(turn.now().wall(), at))
                            .minus(BEFORE_INTERRUPTION))
                    // One that seems to have passed says that clocks differ, or that the notice came late: nothing is
                    // gained by breaking off what the replica has before its cloud does.
                    .filter(at -> at.isAfter(turn.steady()) && at.isBefore(limit))
                    .orElse(limit);
            draft.drainUntil = Optional.of(end);
            draft.detail = drain.reason();
        });
    }

    private static void end(Turn turn, FleetAction.End end) {
        Backend replica = turn.find(end.id()).orElseThrow();
        if (!end.failed()
                && replica.readyAt().isPresent()
                && replica.interruptionAt().isEmpty()) {
            replica.pool()
                    .ifPresent(pool -> turn.fleet(
                            draft -> draft.history = draft.history.kept(pool, held(turn, replica), turn.steady())));
        }
        turn.backend(end.id(), draft -> {
            draft.detail = end.reason();
            draft.failed = draft.failed || end.failed();
            draft.drainUntil = Optional.of(replica.drainUntil().orElse(turn.steady()));
            if (replica.state() == State.LIVE) {
                draft.enter(State.ENDING);
                leftToItsCloud(turn, replica).ifPresent(until -> draft.retry = Retry.NONE.pausedUntil(until));
            } else if (!replica.sent()) {
                draft.enter(State.GONE);
            }
        });
        if (end.failed() && !isProven(turn, replica)) {
            notComeUp(turn, replica, replica.interruptionAt().isPresent(), end.reason());
        } else if (!end.failed() && isNewer(replica, turn.state().fleet())) {
            proven(turn);
        }
    }

    /**
     * Until when a machine under notice is not ended by us: what EC2 takes in its first hour costs nothing, what its user
     * ends does. Where a limit per hour holds, the money for its successor comes first; a time that has passed, or is far
     * away, is waited for by nobody.
     */
    private static Optional<Instant> leftToItsCloud(Turn turn, Backend replica) {
        Instant now = turn.steady();
        return replica.interruptionAt()
                .filter(at -> turn.state().restraint().usdPerHour().isEmpty())
                .map(at -> now.plus(Duration.between(turn.now().wall(), at)))
                .filter(at ->
                        at.isAfter(now) && !at.isAfter(now.plus(turn.timings().drainLimit())))
                .map(at -> at.plus(AFTER_INTERRUPTION));
    }

    /** That its cloud took one says nothing of whether the next one comes up. */
    private static void notComeUp(Turn turn, Backend replica, boolean taken, String reason) {
        if (replica.relocated()) {
            stay(turn, Backend.RELOCATION_PAUSE);
        }
        if (!taken) {
            bootFailed(turn, reason);
        }
    }

    private static void bootFailed(Turn turn, String reason) {
        Fleet fleet = turn.state().fleet();
        int failures = fleet.bootFailures() + 1;
        boolean brake = failures >= Brain.CRASH_LOOP;
        turn.fleet(draft -> {
            draft.bootFailures = failures;
            draft.bootFailedAt = turn.steady();
            draft.retry = brake
                    ? fleet.retry()
                            .pausedUntil(turn.steady().plus(turn.timings().crashLoopPause()))
                    : turn.failed(fleet.retry());
        });
        turn.problem(
                TOPIC,
                failures + (failures == 1 ? " replica" : " replicas in a row")
                        + " failed to come up or broke soon after, the last one: " + reason
                        + (brake ? "; launching rests, since more of the same would only cost money" : ""));
    }

    static void seen(Turn turn, Message.FleetSeen message) {
        if (!turn.seen(REPLICAS, message.generation())) {
            return;
        }
        message.result()
                .failure()
                .ifPresent(failure -> turn.problem(TOPIC + " observation", String.valueOf(failure.getMessage())));
        message.result().value().ifPresent(observations -> {
            turn.solved(TOPIC + " observation");
            observations.forEach(
                    (id, observation) -> turn.find(id).ifPresent(replica -> observed(turn, replica, observation)));
        });
    }

    private static void observed(Turn turn, Backend replica, ReplicaObservation seen) {
        Metering.read(turn, replica, seen);
        if (seen.phase() == BackendPhase.GONE) {
            Purse.price(replica).ifPresent(usd -> priced(turn, usd));
            gone(turn, replica, seen);
            return;
        }
        if (seen.interruptionAt().isPresent() && replica.interruptionAt().isEmpty()) {
            announced(turn, replica, seen.pool().or(replica::pool));
        }
        if (seen.rebalanceAt().isPresent() && replica.rebalanceAt().isEmpty()) {
            seen.pool()
                    .or(replica::pool)
                    .ifPresent(pool -> turn.fleet(draft -> draft.history = draft.history.atRisk(pool, turn.steady())));
        }
        turn.backend(replica.id(), draft -> {
            draft.phase = seen.phase();
            draft.pool = seen.pool().or(replica::pool);
            draft.address = seen.address();
            draft.interruptionAt = seen.interruptionAt().or(replica::interruptionAt);
            draft.rebalanceAt = replica.rebalanceAt().or(seen::rebalanceAt);
            draft.gpu = seen.gpu();
            if (replica.state() == State.LIVE
                    && !replica.isDraining()
                    && (!seen.detail().isEmpty() || seen.phase() != replica.phase())) {
                draft.detail = seen.detail();
            }
        });
        if (seen.phase() == BackendPhase.READY && replica.phase() != BackendPhase.READY) {
            if (turn.state().fleet().bootFailures() < Brain.CRASH_LOOP) {
                turn.fleet(draft -> draft.retry = Retry.NONE);
            }
            turn.solved(TOPIC);
        }
    }

    /** What is announced counts as lost at once, so that the next replica comes from elsewhere. */
    private static void announced(Turn turn, Backend replica, Optional<CapacityPool> from) {
        from.ifPresent(pool ->
                turn.fleet(draft -> draft.history = draft.history.lost(pool, held(turn, replica), turn.steady())));
        boolean alone = turn.state().replicas(other -> !other.id().equals(replica.id()) && staysServing(other)) == 0;
        if (replica.serves() && alone && turn.state().fleet().last().containers() > SOME_TRAFFIC) {
            ServerlessSide.wake(turn);
        }
    }

    private static Duration held(Turn turn, Backend replica) {
        return Duration.between(replica.askedSteady(), turn.steady());
    }

    /** A replica that went by itself was taken, or ended itself: either way its pool is not the first choice now. */
    private static void gone(Turn turn, Backend replica, ReplicaObservation seen) {
        if (replica.state() == State.LIVE && turn.state().goal() == Goal.SERVE) {
            boolean announced = replica.interruptionAt().isPresent();
            boolean taken = announced || seen.interruptionAt().isPresent();
            if (!announced) {
                replica.pool()
                        .ifPresent(pool -> turn.fleet(
                                draft -> draft.history = draft.history.lost(pool, held(turn, replica), turn.steady())));
            }
            if (replica.readyAt().isEmpty() || (!taken && !isProven(turn, replica))) {
                notComeUp(turn, replica, taken, seen.detail().isEmpty() ? "it vanished" : seen.detail());
            }
            turn.backend(replica.id(), draft -> {
                draft.failed = true;
                draft.detail = seen.detail().isEmpty() ? "its cloud took it" : seen.detail();
            });
        }
        TearDown.gone(turn, turn.find(replica.id()).orElseThrow());
    }

    private static boolean isLate(Optional<Call> call, long generation) {
        return call.filter(c -> c.generation() == generation).isEmpty();
    }
}
