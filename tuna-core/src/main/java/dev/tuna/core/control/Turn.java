package dev.tuna.core.control;

import dev.tuna.router.RouteLoad;
import dev.tuna.spi.LedgerEntry;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** One step of one deployment while it is being made. Confined to one call of {@link Brain#step}. */
final class Turn {

    private final Supplier<RouteLoad> loads;
    private final Now now;
    private final ControlTimings timings;
    private final List<Effect> effects = new ArrayList<>();
    private final List<LedgerEntry> entries = new ArrayList<>();
    private Managed state;
    private @Nullable RouteLoad load;

    Turn(Managed state, Supplier<RouteLoad> loads, Now now, ControlTimings timings) {
        this.state = state;
        this.loads = loads;
        this.now = now;
        this.timings = timings;
    }

    Managed state() {
        return state;
    }

    /** The same all through the step; not asked for by a step that needs none. */
    RouteLoad load() {
        RouteLoad known = load;
        if (known == null) {
            known = loads.get();
            load = known;
        }
        return known;
    }

    Now now() {
        return now;
    }

    Instant steady() {
        return now.steady();
    }

    ControlTimings timings() {
        return timings;
    }

    void change(UnaryOperator<Managed> change) {
        state = change.apply(state);
    }

    void fleet(Consumer<Fleet.Draft> change) {
        state = state.with(draft -> draft.fleet = state.fleet().with(change));
    }

    void choice(Choice choice) {
        state = state.with(draft -> draft.choice = choice);
    }

    void accounts(Accounts accounts) {
        state = state.with(draft -> draft.accounts = accounts);
    }

    void ending(Ending ending) {
        state = state.with(draft -> draft.ending = ending);
    }

    void backend(String id, Consumer<Backend.Draft> change) {
        Backend backend = state.backends().get(id);
        if (backend != null) {
            state = state.withBackend(backend.with(change));
        }
    }

    void add(Backend backend) {
        state = state.withBackend(backend);
    }

    Optional<Backend> find(String id) {
        return Optional.ofNullable(state.backends().get(id));
    }

    /** The backend that is waiting for this very answer; none if the answer is late. */
    Optional<Backend> calling(String id, long generation) {
        return find(id).filter(backend ->
                backend.call().filter(call -> call.generation() == generation).isPresent());
    }

    /** Wants something done that is answered with the generation it is given. */
    Call ask(Duration limit, LongFunction<Effect> effect) {
        state = state.with(draft -> draft.generation++);
        effects.add(effect.apply(state.generation()));
        return new Call(state.generation(), steady().plus(limit));
    }

    /** Has something looked at, unless it is being looked at already. */
    void look(String whose, LongFunction<Effect> effect) {
        if (!state.looks().containsKey(whose)) {
            Call call = ask(timings.callLimit(), effect);
            state = state.withLook(whose, call);
        }
    }

    /** Whether this is the very answer that a look is waiting for; from now on it waits no more. */
    boolean seen(String whose, long generation) {
        Call look = state.looks().get(whose);
        if (look == null || look.generation() != generation) {
            return false;
        }
        state = state.withoutLook(whose);
        return true;
    }

    void want(Effect effect) {
        effects.add(effect);
    }

    void enter(Collection<LedgerEntry> added) {
        if (!added.isEmpty()) {
            entries.addAll(added);
            accounts(state.accounts().withTally(state.accounts().tally().plus(added)));
        }
    }

    void problem(String topic, String sentence) {
        state = state.withProblem(topic, sentence);
    }

    void solved(String topic) {
        state = state.withoutProblem(topic);
    }

    Retry failed(Retry retry) {
        return retry.failed(steady(), timings.retryBase(), timings.retryMax());
    }

    /** Asks the clouds as soon as this step is done. */
    void lookNow() {
        state = state.with(draft -> draft.lookAt = steady());
    }

    Brain.Step done() {
        return new Brain.Step(state, List.copyOf(effects), List.copyOf(entries));
    }
}
