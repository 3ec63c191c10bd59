package dev.tuna.router.proxy;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/** A counter for each constant of an enum. Thread-safe without locks: the map is filled once and never changes. */
final class Counts<E extends Enum<E>> {

    private final Map<E, LongAdder> adders;

    Counts(Class<E> type) {
        adders = new EnumMap<>(type);
        for (E constant : type.getEnumConstants()) {
            adders.put(constant, new LongAdder());
        }
    }

    void increment(E constant) {
        Objects.requireNonNull(adders.get(constant)).increment();
    }

    long of(E constant) {
        return Objects.requireNonNull(adders.get(constant)).sum();
    }

    Map<E, Long> all() {
        Map<E, Long> all = new EnumMap<>(adders.keySet().iterator().next().getDeclaringClass());
        adders.forEach((constant, adder) -> all.put(constant, adder.sum()));
        return all;
    }
}
