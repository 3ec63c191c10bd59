package dev.tuna.router.proxy;

import static java.util.Objects.requireNonNull;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** A counter for each constant of an enum. Thread-safe without locks: the map never changes. */
final class Counts<E extends Enum<E>> {

    private final Class<E> type;
    private final EnumMap<E, LongAdder> adders;

    Counts(Class<E> type) {
        this.type = type;
        adders = new EnumMap<>(type);
        for (E constant : type.getEnumConstants()) {
            adders.put(constant, new LongAdder());
        }
    }

    void increment(E constant) {
        requireNonNull(adders.get(constant)).increment();
    }

    Map<E, Long> all() {
        Map<E, Long> all = new EnumMap<>(type);
        adders.forEach((constant, count) -> all.put(constant, count.sum()));
        return all;
    }
}
