package dev.tuna.core.control;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Tier;
import dev.tuna.api.TunaException;
import dev.tuna.core.ledger.Money;
import dev.tuna.spi.ResourceRecord.State;
import dev.tuna.spi.ServerlessObservation;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The serverless half of a deployment: finds providers, has endpoints made and follows what becomes of them. Pure. */
final class ServerlessSide {

    static final String TOPIC = "serverless";

    /** Times in a row that an endpoint cannot be made, whatever the reason, before another provider is looked for too. */
    private static final int STUBBORN = 3;

    private ServerlessSide() {}

    static void serve(Turn turn) {
        giveUpStuck(turn);
        Choice choice = turn.state().choice();
        if (choice.settled()
                && choice.retry().isDue(turn.steady())
                && (noneLeft(turn) || !choice.refused().isEmpty())) {
            // What was refused a while ago may have been mended since, and is no news any more.
            choice = choice.forgiving(!noneLeft(turn) && isAutomatic(turn));
            turn.choice(choice);
            if (choice.settled()) {
                turn.solved(TOPIC);
            }
        }
        if (!choice.settled() && choice.call().isEmpty() && choice.retry().isDue(turn.steady())) {
            var excluded = new HashSet<>(choice.refused().keySet());
            turn.state().endpoints().map(Backend::provider).forEach(excluded::add);
            Call call = turn.ask(
                    turn.timings().callLimit().multipliedBy(2),
                    generation -> new Effect.Choose(generation, Set.copyOf(excluded)));
            turn.choice(choice.searching(call));
        }
    }

    /** One endpoint is enough; else one at each provider that was named. */
    private static boolean isAutomatic(Turn turn) {
        return turn.state().request().serverlessProviders().isEmpty();
    }

    /** Whether there is no endpoint that serves or may come to serve. */
    private static boolean noneLeft(Turn turn) {
        boolean automatic = isAutomatic(turn);
        for (Backend backend : turn.state().backends().values()) {
            if (backend.isServerless() && backend.isWanted() && !(automatic && isStuck(backend))) {
                return false;
            }
        }
        return true;
    }

    /** Whether its provider has failed so often to make it that nobody should have to wait for it. */
    static boolean isStuck(Backend endpoint) {
        return endpoint.isServerless()
                && endpoint.state() == State.INTENDED
                && endpoint.retry().failures() >= STUBBORN;
    }

    static void chosen(Turn turn, Message.Chosen message) {
        Choice choice = turn.state().choice();
        if (choice.call()
                .filter(call -> call.generation() == message.generation())
                .isEmpty()) {
            return;
        }
        message.result().failure().ifPresent(failure -> {
            turn.choice(choice.failed(turn.failed(choice.retry())));
            turn.problem(TOPIC, "serverless providers cannot be chosen: " + failure.getMessage());
        });
        message.result().value().ifPresent(selection -> take(turn, choice, selection));
    }

    private static void take(Turn turn, Choice choice, Selection selection) {
        var refused = new LinkedHashMap<>(choice.refused());
        refused.putAll(selection.refused());
        int number = choice.begun();
        for (Selection.Candidate candidate : selection.chosen()) {
            number++;
            turn.add(Backend.intended(
                    turn.state().revision().endpoint(candidate.provider(), number),
                    Tier.SERVERLESS,
                    candidate.provider(),
                    PlanJson.write(candidate.plan()),
                    turn.now()));
        }
        boolean none = selection.chosen().isEmpty() && noneLeft(turn);
        turn.choice(choice.found(
                refused,
                selection.retryable(),
                selection.chosen().size(),
                nextSearch(turn, choice.retry(), selection, refused.isEmpty(), none)));
        if (refused.isEmpty()) {
            turn.solved(TOPIC);
        } else {
            turn.problem(TOPIC, (none ? "no serverless provider can take it: " : "not used: ") + reasons(refused));
        }
    }

    /** What nobody gets to be made is given up as soon as another provider makes one. */
    private static void giveUpStuck(Turn turn) {
        if (!isAutomatic(turn) || noneLeft(turn)) {
            return;
        }
        for (Backend endpoint : turn.state().present()) {
            // A call under way might make it after it was removed.
            if (isStuck(endpoint) && endpoint.call().isEmpty()) {
                String reason = Objects.requireNonNullElse(
                        turn.state().problems().get(endpoint.id()), "its endpoint cannot be made");
                endAsPlanned(turn, endpoint, reason);
                Choice choice = turn.state().choice().refusing(endpoint.provider(), reason);
                Instant later = turn.steady().plus(turn.timings().crashLoopPause());
                turn.choice(choice.resting(choice.retry().pausedUntil(later)));
                turn.problem(TOPIC, "not used: " + reasons(choice.refused()));
            }
        }
    }

    /** What may be there all the same has the name that was planned. */
    static void endAsPlanned(Turn turn, Backend endpoint, String reason) {
        turn.backend(endpoint.id(), draft -> {
            draft.ref = Optional.of(PlanJson.serverless(endpoint.plan()).resource());
            draft.enter(State.ENDING);
            draft.failed = true;
            draft.detail = reason;
        });
        turn.solved(endpoint.id());
        turn.lookNow();
    }

    /**
     * Whether it is to be removed though it may never have been made. It is looked at before: a cloud that still tells the
     * last reading of an earlier endpoint of that name would be taken for telling its own afterwards.
     */
    static boolean isDoubtful(Backend endpoint) {
        return endpoint.isServerless()
                && endpoint.state() == State.ENDING
                && endpoint.failed()
                && endpoint.meter().isEmpty();
    }

    private static Retry nextSearch(Turn turn, Retry retry, Selection selection, boolean allWillDo, boolean none) {
        if (allWillDo && !none) {
            return retry;
        }
        if (none && (allWillDo || selection.retryable())) {
            return turn.failed(retry);
        }
        Duration pause = none ? turn.timings().retryMax() : turn.timings().crashLoopPause();
        return retry.pausedUntil(turn.steady().plus(pause));
    }

    private static String reasons(Map<String, String> refused) {
        return refused.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(entry -> entry.getKey() + ": " + entry.getValue())
                .collect(Collectors.joining("; "));
    }

    /** Has endpoints that can serve answer a readiness request, so that a container is there when requests come. */
    static void wake(Turn turn) {
        for (Backend endpoint : turn.state().present()) {
            boolean canServe = endpoint.isServerless()
                    && endpoint.state() == State.LIVE
                    && endpoint.readyAt().isPresent()
                    && endpoint.address().isPresent();
            if (canServe && !endpoint.check()) {
                turn.backend(endpoint.id(), draft -> draft.check = true);
            }
        }
    }

    /** A refusal sends the search on to the next provider; anything else is tried again as it was, if not for ever. */
    static void notMade(Turn turn, Backend endpoint, TunaException failure) {
        String reason = String.valueOf(failure.getMessage());
        turn.problem(endpoint.id(), reason);
        if (Brain.nothingWasMade(endpoint, failure)) {
            turn.backend(endpoint.id(), draft -> {
                draft.enter(State.GONE);
                draft.failed = true;
                draft.detail = reason;
            });
            turn.solved(endpoint.id());
            refuse(turn, endpoint, reason);
        } else if (Brain.isRefusal(failure)) {
            endAsPlanned(turn, endpoint, reason);
            refuse(turn, endpoint, reason);
        }
    }

    static void seen(Turn turn, Message.EndpointSeen message) {
        if (!turn.seen(message.backend(), message.generation())) {
            return;
        }
        turn.find(message.backend()).ifPresent(endpoint -> {
            message.result()
                    .failure()
                    .ifPresent(failure ->
                            turn.problem(endpoint.id() + " observation", String.valueOf(failure.getMessage())));
            message.result().value().ifPresent(observation -> {
                turn.solved(endpoint.id() + " observation");
                observed(turn, endpoint, observation);
            });
        });
    }

    private static void observed(Turn turn, Backend endpoint, ServerlessObservation seen) {
        Metering.read(turn, endpoint, seen);
        turn.accounts(turn.state().accounts().withServerlessPrice(Money.microUsdPerHour(seen.usdPerHour())));
        if (seen.phase() == BackendPhase.GONE) {
            // A request to make it that was slow may have come after the look: what is doubtful is removed all the
            // same.
            if (!isDoubtful(endpoint)) {
                gone(turn, endpoint);
            }
            return;
        }
        turn.backend(endpoint.id(), draft -> {
            draft.phase = seen.phase();
            draft.containers = seen.containers();
            draft.address = seen.address();
            if (endpoint.state() == State.LIVE && (!seen.detail().isEmpty() || seen.phase() != endpoint.phase())) {
                draft.detail = seen.detail();
            }
        });
        if (seen.phase() == BackendPhase.FAILED && endpoint.state() == State.LIVE) {
            turn.backend(endpoint.id(), draft -> {
                draft.enter(State.ENDING);
                draft.failed = true;
            });
            if (endpoint.readyAt().isEmpty()) {
                refuse(turn, endpoint, "its endpoint failed: " + seen.detail());
            }
        }
    }

    private static void gone(Turn turn, Backend endpoint) {
        TearDown.gone(turn, endpoint);
        if (turn.state().goal() == Goal.SERVE && (noneLeft(turn) || !isAutomatic(turn))) {
            Choice choice = turn.state().choice();
            turn.choice(choice.reopened(turn.failed(choice.retry())));
        }
    }

    private static void refuse(Turn turn, Backend endpoint, String reason) {
        if (turn.state().goal() == Goal.SERVE) {
            Choice choice = turn.state().choice().refusing(endpoint.provider(), reason);
            turn.choice(choice.reopened(choice.retry().pausedUntil(turn.steady())));
        }
    }
}
