package dev.tuna.testkit.crash;

import dev.tuna.testkit.crash.CallerDeath.Moment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;

/** Counts the calls that a cloud gets, and kills who makes the one that was chosen. Thread-safe. */
public final class CallCounter implements CallerFaults {

    private final Predicate<String> counts;
    private final List<String> calls = new ArrayList<>(); // guarded by this
    private int chosen; // guarded by this
    private Optional<CallerDeath> death = Optional.empty(); // guarded by this

    /** Counts every call. */
    public CallCounter() {
        this(call -> true);
    }

    /**
     * Counts some calls.
     *
     * @param counts which ones
     */
    public CallCounter(Predicate<String> counts) {
        this.counts = Objects.requireNonNull(counts, "counts");
    }

    /** Nobody dies; calls are counted from one again. */
    public synchronized void spareAll() {
        calls.clear();
        death = Optional.empty();
    }

    /**
     * Counts from one again and kills at the chosen call.
     *
     * @param call which one, from 1; 0 is never
     * @param moment at which moment of it
     * @param kill makes the caller die; when it returns the caller is dead
     */
    public synchronized void plan(int call, Moment moment, Runnable kill) {
        calls.clear();
        chosen = call;
        death = Optional.of(new CallerDeath(moment, kill));
    }

    /**
     * The calls since counting began.
     *
     * @return a snapshot
     */
    public synchronized List<String> calls() {
        return List.copyOf(calls);
    }

    @Override
    public synchronized Optional<CallerDeath> faultOf(String call) {
        if (!counts.test(call)) {
            return Optional.empty();
        }
        calls.add(call);
        return calls.size() == chosen ? death : Optional.empty();
    }
}
