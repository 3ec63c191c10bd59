package dev.tuna.router.proxy;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;

/** An immutable value that several threads replace by what follows from it. Thread-safe without locks. */
final class Swapped<T> {

    private final AtomicReference<T> current;

    Swapped(T first) {
        current = new AtomicReference<>(first);
    }

    T get() {
        return requireNonNull(current.get());
    }

    /** Replaces the value unless another thread has done so since it was read. */
    boolean replace(T seen, T next) {
        return next == seen || current.compareAndSet(seen, next);
    }

    /** Applies a transition; it may be asked more than once. */
    void update(UnaryOperator<T> transition) {
        T seen = get();
        while (!replace(seen, transition.apply(seen))) {
            seen = get();
        }
    }
}
