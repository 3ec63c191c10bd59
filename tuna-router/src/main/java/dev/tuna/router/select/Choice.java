package dev.tuna.router.select;

import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * The outcome of a choice: a backend, or the reason why there is none. Immutable.
 *
 * @param <C> what stands for a backend
 */
public final class Choice<C> {

    /** What was found. */
    public enum Outcome {
        /** A replica takes the request. */
        REPLICA,
        /** A serverless endpoint takes the request. */
        SERVERLESS,
        /** All that could take it has failed of late; this one is the least bad, to be tried against its breaker's advice. */
        LAST_RESORT,
        /** What could take it is at its limit: wait for room, or say 429. */
        FULL,
        /** What could take it asked for a rest: wait, or say 503. */
        RESTING,
        /** Everything has been tried for this request: it failed. */
        EXHAUSTED,
        /** The route has nothing that takes new requests: wait for a backend to come up. */
        NO_BACKEND
    }

    private final Outcome outcome;
    private final @Nullable C backend;

    private Choice(Outcome outcome, @Nullable C backend) {
        this.outcome = outcome;
        this.backend = backend;
    }

    static <C> Choice<C> of(Outcome outcome, C backend) {
        return new Choice<>(outcome, backend);
    }

    static <C> Choice<C> none(Outcome why) {
        return new Choice<>(why, null);
    }

    /**
     * What was found.
     *
     * @return the outcome
     */
    public Outcome outcome() {
        return outcome;
    }

    /**
     * Whether there is a backend.
     *
     * @return true for {@link Outcome#REPLICA}, {@link Outcome#SERVERLESS} and {@link Outcome#LAST_RESORT}
     */
    public boolean isPresent() {
        return backend != null;
    }

    /**
     * The chosen backend.
     *
     * @return what was passed in for it
     * @throws NoSuchElementException if there is none
     */
    public C backend() {
        if (backend == null) {
            throw new NoSuchElementException("no backend was chosen: " + outcome);
        }
        return backend;
    }

    @Override
    public String toString() {
        return backend == null ? outcome.toString() : outcome + " " + backend;
    }
}
