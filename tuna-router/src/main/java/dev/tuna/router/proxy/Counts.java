package dev.tuna.router.proxy;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** A counter for each constant of an enum. Thread-safe without locks. */
final class Counts<E extends Enum<E>> {

    private final E[] constants;
    private final LongAdder[] adders;
    private final Class<E> type;

    Counts(Class<E> type) {
        this.type = type;
        constants = type.getEnumConstants();
        adders = new LongAdder[constants.length];
        for (int i = 0; i < adders.length; i++) {
            adders[i] = new LongAdder();
        }
    }

    void increment(E constant) {
        adders[constant.ordinal()].increment();
    }

    long of(E constant) {
        return adders[constant.ordinal()].sum();
    }

    Map<E, Long> all() {
        Map<E, Long> all = new EnumMap<>(type);
        for (E constant : constants) {
            all.put(constant, of(constant));
        }
        return all;
    }
}
