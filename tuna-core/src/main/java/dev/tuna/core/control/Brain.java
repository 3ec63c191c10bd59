package dev.tuna.core.control;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.CapacityException;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import dev.tuna.api.TunaException;
import dev.tuna.core.budget.Restraint;
import dev.tuna.router.BackendFailure;
import dev.tuna.router.RouteLoad;
import dev.tuna.spi.LedgerEntry;
import dev.tuna.spi.ResourceRecord.State;
import dev.tuna.spi.ResourceRef;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Decides what happens to a deployment next: {@code (state, message, load, now) -> (state, effects, ledger entries)}.
 *
 * <p>Every message leads through the same course: hear it, bring the books up to date, then work towards the goal. So it
 * does not matter in which order messages come, or whether one gets lost: the next tick does what is left to do. An
 * observation that is no news is entered into the books and leads to nothing else. Pure.
 */
final class Brain {

    /** Replicas that fail to come up, or break soon after, in a row before launching rests: more than chance, less than a day's rent. */
    static final int CRASH_LOOP = 5;

    /** Readiness requests that a replica fails in a row, after it had been ready, before it is given up. */
    static final int SUSPECT_LIMIT = 3;

    private Brain() {}

    /**
     * What came of a message.
     *
     * @param state the deployment from now on
     * @param effects what is to be done, in this order
     * @param entries what is to be appended to the ledger, in one change with the new state
     */
    record Step(Managed state, List<Effect> effects, List<LedgerEntry> entries) {}

    static Step step(Managed before, Message message, Supplier<RouteLoad> load, Now now, ControlTimings timings) {
        if (before.isOver()) {
            return new Step(before, List.of(), List.of());
        }
        var turn = new Turn(before.withoutGone(), load, now, timings);
        expireCalls(turn);
        hear(turn, message);
        if (isObservation(message) && turn.state().standsAs(before)) {
            return turn.done();
        }
        Metering.advance(turn);
        if (turn.state().goal() == Goal.SERVE) {
            ServerlessSide.serve(turn);
            FleetSide.serve(turn);
            giveUpIfHopeless(turn);
        }
        if (turn.state().goal() != Goal.SERVE) {
            TearDown.advance(turn);
        }
        for (Backend backend : turn.state().present()) {
            advance(turn, backend);
        }
        markServed(turn);
        look(turn);
        return turn.done();
    }

    private static boolean isObservation(Message message) {
        return message instanceof Message.EndpointSeen || message instanceof Message.FleetSeen;
    }

    private static void hear(Turn turn, Message message) {
        if (message instanceof Message.Demand) {
            turn.fleet(fleet -> fleet.demand = true);
        } else if (message instanceof Message.Fault fault) {
            heardFault(turn, fault);
        } else if (message instanceof Message.DestroyAsked) {
            TearDown.begin(turn, Goal.DESTROY, "");
        } else if (message instanceof Message.Adjusted adjusted) {
            FleetSide.adjusted(turn, adjusted);
        } else if (message instanceof Message.Budgeted budgeted) {
            heardBudgeted(turn, budgeted.restraint());
        } else if (message instanceof Message.Joined joined) {
            joined.strays().forEach(stray -> heardJoined(turn, stray));
        } else if (message instanceof Message.Chosen chosen) {
            ServerlessSide.chosen(turn, chosen);
        } else if (message instanceof Message.SpotChecked checked) {
            FleetSide.checked(turn, checked);
        } else if (message instanceof Message.LaunchesPrepared prepared) {
            FleetSide.prepared(turn, prepared);
        } else if (message instanceof Message.Made made) {
            turn.calling(made.backend(), made.generation()).ifPresent(backend -> heardMade(turn, backend, made));
        } else if (message instanceof Message.EndAccepted accepted) {
            turn.calling(accepted.backend(), accepted.generation())
                    .ifPresent(backend -> TearDown.accepted(turn, backend, accepted));
        } else if (message instanceof Message.Probed probed) {
            turn.calling(probed.backend(), probed.generation()).ifPresent(backend -> heardProbe(turn, backend, probed));
        } else if (message instanceof Message.EndpointSeen seen) {
            ServerlessSide.seen(turn, seen);
        } else if (message instanceof Message.FleetSeen seen) {
            FleetSide.seen(turn, seen);
        } else if (message instanceof Message.CleanedUp cleaned) {
            TearDown.cleanedUp(turn, cleaned);
        } else if (message instanceof Message.Concluded concluded) {
            TearDown.concluded(turn, concluded);
        }
    }

    private static void heardBudgeted(Turn turn, Restraint restraint) {
        turn.change(state -> state.with(draft -> draft.restraint = restraint));
        if (restraint.action().isPresent()) {
            turn.problem(Restraint.TOPIC, restraint.reason());
        } else {
            turn.solved(Restraint.TOPIC);
        }
        if (restraint.gap().isEmpty()) {
            turn.solved(Restraint.GAP_TOPIC);
        } else {
            turn.problem(Restraint.GAP_TOPIC, restraint.gap());
        }
    }

    /** It has to pass a readiness request like any other, and as long as any other to do so. */
    private static void heardJoined(Turn turn, Stray stray) {
        boolean serverless = stray.tier() == Tier.SERVERLESS;
        String provider = stray.resource().provider();
        Revision revision = turn.state().revision();
        String id;
        if (serverless) {
            turn.choice(turn.state().choice().joined());
            id = revision.endpoint(provider, turn.state().choice().begun());
        } else {
            turn.fleet(fleet -> fleet.launched++);
            id = revision.replica(turn.state().fleet().launched());
        }
        Now asked = new Now(stray.since(), turn.steady());
        turn.add(Backend.intended(id, stray.tier(), provider, "{}", asked).with(draft -> {
            draft.enter(State.LIVE);
            draft.sent = true;
            draft.ref = Optional.of(stray.resource());
            draft.pool = stray.pool();
        }));
        turn.lookNow();
    }

    /** A connection that is refused is the first sign of a replica that is gone: ask its cloud, and the replica itself. */
    private static void heardFault(Turn turn, Message.Fault fault) {
        if (fault.failure() == BackendFailure.CONNECT || fault.failure() == BackendFailure.NO_ANSWER) {
            turn.find(fault.backend())
                    .filter(backend -> !backend.isServerless())
                    .ifPresent(replica -> {
                        turn.backend(replica.id(), draft -> draft.check = true);
                        turn.lookNow();
                    });
        }
    }

    private static void heardMade(Turn turn, Backend backend, Message.Made made) {
        made.result().value().ifPresent(ref -> {
            turn.backend(backend.id(), draft -> {
                draft.enter(State.LIVE);
                draft.ref = Optional.of(ref);
            });
            turn.solved(backend.id());
            if (backend.tier() == Tier.SPOT) {
                turn.fleet(fleet -> fleet.drySince = Optional.empty());
            }
            turn.lookNow();
        });
        made.result().failure().ifPresent(failure -> {
            turn.backend(backend.id(), draft -> {
                draft.call = Optional.empty();
                draft.retry = turn.failed(backend.retry());
            });
            if (backend.isServerless()) {
                ServerlessSide.notMade(turn, backend, failure);
            } else {
                FleetSide.notMade(turn, backend, failure);
            }
        });
    }

    /**
     * Whether a failure to make something means that nothing is there. A cloud without capacity has looked for what the
     * plan names and found nothing. A refusal says so of the first attempt only: before it came, an attempt whose answer
     * was lost may have made it.
     *
     * @param backend as it was before this failure
     */
    static boolean nothingWasMade(Backend backend, TunaException failure) {
        return failure instanceof CapacityException || (backend.retry().failures() == 0 && isRefusal(failure));
    }

    /** A provider that cannot be reached, or is not on the class path any more, refuses nothing. */
    static boolean isRefusal(TunaException failure) {
        return (failure instanceof ProviderException && !failure.retryable())
                || (failure instanceof ConfigurationException && failure.code() != ErrorCode.CLOSED);
    }

    private static void heardProbe(Turn turn, Backend backend, Message.Probed probed) {
        turn.backend(backend.id(), draft -> {
            draft.call = Optional.empty();
            if (probed.fault().isEmpty()) {
                draft.readyAt = Optional.of(backend.readyAt().orElse(turn.steady()));
                draft.suspect = 0;
                draft.check = false;
                // One that is kept warm is woken again before it rests.
                draft.retry = backend.isServerless() && backend.check()
                        ? Retry.NONE.pausedUntil(turn.steady()
                                .plus(turn.state()
                                        .scaling()
                                        .serverless()
                                        .scaledownWindow()
                                        .multipliedBy(3)
                                        .dividedBy(4)))
                        : Retry.NONE;
                draft.detail = "";
            } else {
                boolean wasReady = backend.readyAt().isPresent();
                draft.suspect = wasReady ? backend.suspect() + 1 : 0;
                draft.detail =
                        "no answer to the readiness request: " + probed.fault().get();
                // A cold container costs money each time it is woken, a replica's time is paid for anyway.
                Duration longest = backend.isServerless()
                        ? turn.timings().retryMax()
                        : turn.timings().probeInterval();
                draft.retry =
                        backend.retry().failed(turn.steady(), turn.timings().probeInterval(), longest);
            }
        });
        if (probed.fault().isEmpty()) {
            turn.solved(backend.id());
        } else if (backend.isServerless()) {
            turn.problem(
                    backend.id(),
                    backend.provider() + " endpoint does not answer its readiness request: "
                            + probed.fault().get());
        }
    }

    private static void expireCalls(Turn turn) {
        for (Backend backend : turn.state().backends().values()) {
            if (isOverdue(turn, backend.call())) {
                turn.backend(backend.id(), draft -> {
                    draft.call = Optional.empty();
                    draft.retry = turn.failed(backend.retry());
                });
                turn.problem(backend.id(), backend.provider() + " has not answered a call about " + backend.id());
            }
        }
        turn.state().looks().forEach((whose, look) -> {
            if (isOverdue(turn, look)) {
                turn.change(state -> state.withoutLook(whose));
            }
        });
        Fleet fleet = turn.state().fleet();
        if (isOverdue(turn, fleet.call())) {
            turn.fleet(draft -> {
                draft.call = Optional.empty();
                draft.retry = turn.failed(fleet.retry());
            });
        }
        Choice choice = turn.state().choice();
        if (isOverdue(turn, choice.call())) {
            turn.choice(choice.failed(turn.failed(choice.retry())));
        }
        Ending ending = turn.state().ending();
        if (isOverdue(turn, ending.call())) {
            turn.ending(ending.failed(turn.failed(ending.retry())));
        }
    }

    private static boolean isOverdue(Turn turn, Optional<Call> call) {
        return call.isPresent() && isOverdue(turn, call.get());
    }

    private static boolean isOverdue(Turn turn, Call call) {
        return !call.deadline().isAfter(turn.steady());
    }

    /** Makes the call that a backend's state asks for, if none is under way. */
    private static void advance(Turn turn, Backend backend) {
        if (backend.call().isPresent() || !backend.retry().isDue(turn.steady())) {
            return;
        }
        switch (backend.state()) {
            case INTENDED -> make(turn, backend);
            case LIVE -> probeIfNeeded(turn, backend);
            case ENDING -> {
                if (!ServerlessSide.isDoubtful(backend)) {
                    TearDown.end(turn, backend);
                }
            }
            case GONE -> {}
        }
    }

    private static void make(Turn turn, Backend backend) {
        Call call = turn.ask(
                turn.timings().callLimit(),
                generation -> backend.isServerless()
                        ? new Effect.Begin(
                                backend.id(), generation, backend.provider(), PlanJson.serverless(backend.plan()))
                        : new Effect.Launch(
                                backend.id(), generation, backend.provider(), PlanJson.launch(backend.plan())));
        turn.backend(backend.id(), draft -> {
            draft.call = Optional.of(call);
            draft.sent = true;
        });
    }

    /** While spot serves, a serverless endpoint gets nothing at all, so that it scales to zero; unless spot is about to go. */
    private static void probeIfNeeded(Turn turn, Backend backend) {
        boolean due = backend.phase() == BackendPhase.READY
                && !backend.isDraining()
                && (backend.readyAt().isEmpty() || backend.check())
                && (!backend.isServerless() || backend.check() || turn.state().spotState() != SpotState.READY);
        if (due && backend.address().isPresent()) {
            Duration limit = backend.isServerless()
                    ? turn.timings().coldProbeLimit()
                    : turn.timings().probeLimit();
            Call call = turn.ask(
                    limit.plus(turn.timings().callLimit()),
                    generation -> new Effect.Probe(
                            backend.id(),
                            generation,
                            backend.address().get(),
                            turn.state().request().model(),
                            limit));
            turn.backend(backend.id(), draft -> draft.call = Optional.of(call));
        }
    }

    /** Only what was refused for good counts: a cloud that does not answer may do so later. */
    private static void giveUpIfHopeless(Turn turn) {
        Managed state = turn.state();
        // A successor may serve where this one cannot.
        boolean hopeless = !(state.revision().isCurrent() && state.revision().accompanied())
                && state.choice().isHopeless()
                && !state.fleet().isHopeful()
                && state.present().isEmpty();
        if (hopeless) {
            TearDown.begin(turn, Goal.FAIL, String.join("; ", state.problems().values()));
        }
    }

    private static void markServed(Turn turn) {
        if (!turn.state().served() && turn.state().present().stream().anyMatch(Backend::serves)) {
            turn.change(state -> state.with(draft -> draft.served = true));
        }
    }

    private static void look(Turn turn) {
        if (turn.state().lookAt().isAfter(turn.steady())) {
            return;
        }
        var replicas = new LinkedHashMap<String, ResourceRef>();
        for (Backend backend : turn.state().present()) {
            backend.ref().ifPresent(ref -> {
                if (backend.isServerless()) {
                    turn.look(
                            backend.id(),
                            generation -> new Effect.LookAtEndpoint(backend.id(), generation, backend.provider(), ref));
                } else {
                    replicas.put(backend.id(), ref);
                }
            });
        }
        if (!replicas.isEmpty()) {
            String cloud = turn.state().fleet().cloud().orElseThrow();
            turn.look(FleetSide.REPLICAS, generation -> new Effect.LookAtFleet(generation, cloud, replicas));
        }
        Duration pause = isBusy(turn.state())
                ? turn.timings().busyInterval()
                : turn.timings().observeInterval();
        Instant next = turn.steady().plus(pause);
        turn.change(state -> state.with(draft -> draft.lookAt = next));
    }

    /** Whether something is about to change, so that it pays to look often. */
    private static boolean isBusy(Managed state) {
        return state.goal() != Goal.SERVE
                || state.present().stream()
                        .anyMatch(backend -> backend.state() != State.LIVE
                                || backend.isDraining()
                                || (backend.check() && !backend.isServerless())
                                || backend.phase() != BackendPhase.READY
                                || (backend.tier() != Tier.SERVERLESS
                                        && backend.readyAt().isEmpty()));
    }
}
