package dev.tuna.core.control;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.spi.ResourceRecord.State;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How backends, and in the end whole deployments, go: requests first, then machines, then what they left, and the endpoint
 * last. Nothing counts as gone until its cloud says so. Pure.
 */
final class TearDown {

    private static final String TOPIC = "destroy";

    private TearDown() {}

    static void begin(Turn turn, Goal goal, String reason) {
        Instant limit = turn.steady().plus(turn.timings().drainLimit());
        if (turn.state().goal() != Goal.SERVE) {
            if (goal == Goal.DESTROY) {
                turn.change(state -> state.with(draft -> {
                    draft.goal = Goal.DESTROY;
                    draft.ending = draft.ending.by(limit);
                }));
            }
            return;
        }
        boolean replaced = turn.state().revision().role() == Revision.Role.FORMER;
        Instant drained = replaced ? turn.steady().plus(turn.timings().rollDrainLimit()) : limit;
        // Who destroys does not wait for what a cloud will take by itself.
        turn.state().present().stream()
                .filter(backend -> backend.state() == State.ENDING
                        && backend.interruptionAt().isPresent())
                .forEach(backend -> turn.backend(backend.id(), draft -> draft.retry = Retry.NONE));
        turn.change(state -> state.with(draft -> {
            draft.goal = goal;
            draft.reason = reason;
            draft.phase = DeploymentPhase.DESTROYING;
            draft.ending = draft.ending.begun(drained);
            draft.lookAt = turn.steady();
        }));
    }

    static void advance(Turn turn) {
        if (hasDrained(turn)) {
            turn.state().present().forEach(backend -> dismiss(turn, backend));
        }
        if (turn.state().present().isEmpty()) {
            finish(turn);
        }
    }

    private static boolean hasDrained(Turn turn) {
        int inFlight = turn.state().present().stream()
                .mapToInt(backend -> turn.load().backend(backend.id()).inFlight())
                .sum();
        return inFlight == 0
                || turn.state()
                        .ending()
                        .drainUntil()
                        .map(end -> !end.isAfter(turn.steady()))
                        .orElse(true);
    }

    /**
     * What may have been made without our knowing its name is made once more, which is harmless, to learn the name. An
     * endpoint that cannot be made has the name that was planned.
     */
    private static void dismiss(Turn turn, Backend backend) {
        if (backend.state() == State.LIVE) {
            turn.backend(backend.id(), draft -> draft.enter(State.ENDING));
        } else if (backend.state() == State.INTENDED && !backend.sent()) {
            turn.backend(backend.id(), draft -> draft.enter(State.GONE));
        } else if (ServerlessSide.isStuck(backend) && backend.call().isEmpty()) {
            ServerlessSide.endAsPlanned(turn, backend, backend.detail());
        }
    }

    static void end(Turn turn, Backend backend) {
        Call call = turn.ask(
                turn.timings().callLimit(),
                generation -> new Effect.End(
                        backend.id(),
                        generation,
                        backend.provider(),
                        backend.isServerless(),
                        backend.ref().orElseThrow()));
        turn.backend(backend.id(), draft -> draft.call = Optional.of(call));
    }

    static void accepted(Turn turn, Backend backend, Message.EndAccepted message) {
        turn.backend(backend.id(), draft -> {
            draft.call = Optional.empty();
            draft.retry = message.result().failure().isPresent()
                    ? turn.failed(backend.retry())
                    : backend.retry()
                            .pausedUntil(turn.steady().plus(turn.timings().endRepeat()));
        });
        message.result()
                .failure()
                .ifPresentOrElse(
                        failure -> turn.problem(
                                backend.id(), backend.id() + " cannot be removed yet: " + failure.getMessage()),
                        () -> {
                            turn.solved(backend.id());
                            turn.lookNow();
                        });
    }

    static void gone(Turn turn, Backend backend) {
        turn.backend(backend.id(), draft -> {
            draft.enter(State.GONE);
            draft.phase = BackendPhase.GONE;
        });
        turn.solved(backend.id());
        turn.solved(backend.id() + " observation");
        if (turn.state().goal() != Goal.SERVE) {
            backend.ref().ifPresent(ref -> turn.ending(turn.state().ending().removing(ref.toString())));
        }
    }

    private static void finish(Turn turn) {
        Ending ending = turn.state().ending();
        if (turn.state().revision().isCurrent() && turn.state().revision().accompanied()) {
            // The name is given up last: under it everything else is found.
            return;
        }
        if (ending.call().isPresent() || !ending.retry().isDue(turn.steady())) {
            return;
        }
        Fleet fleet = turn.state().fleet();
        boolean leftovers = fleet.launched() > 0 && !ending.cleaned();
        Call call = leftovers
                ? turn.ask(
                        turn.timings().callLimit(),
                        generation ->
                                new Effect.CleanUp(generation, fleet.cloud().orElseThrow()))
                : turn.ask(turn.timings().callLimit(), Effect.Conclude::new);
        turn.ending(ending.calling(call));
    }

    static void cleanedUp(Turn turn, Message.CleanedUp message) {
        Ending ending = turn.state().ending();
        if (isLate(ending, message.generation())) {
            return;
        }
        message.result().failure().ifPresentOrElse(failure -> failed(turn, failure.getMessage()), () -> {
            turn.ending(ending.cleanedUp());
            turn.solved(TOPIC);
        });
    }

    static void concluded(Turn turn, Message.Concluded message) {
        Ending ending = turn.state().ending();
        if (isLate(ending, message.generation())) {
            return;
        }
        message.result().failure().ifPresentOrElse(failure -> failed(turn, failure.getMessage()), () -> {
            turn.solved(TOPIC);
            turn.accounts(turn.state().accounts().closed(turn.load().traffic(), turn.steady()));
            turn.change(state -> state.with(draft ->
                    draft.phase = draft.goal == Goal.FAIL ? DeploymentPhase.FAILED : DeploymentPhase.DESTROYED));
            turn.want(new Effect.Finish());
        });
    }

    private static void failed(Turn turn, @Nullable String why) {
        Ending ending = turn.state().ending();
        turn.ending(ending.failed(turn.failed(ending.retry())));
        turn.problem(TOPIC, "tearing down goes on: " + why);
    }

    private static boolean isLate(Ending ending, long generation) {
        return ending.call().filter(call -> call.generation() == generation).isEmpty();
    }
}
