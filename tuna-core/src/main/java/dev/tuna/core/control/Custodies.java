package dev.tuna.core.control;

import dev.tuna.spi.StateSnapshot;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Collectors;

/** What is known about every deployment that was ever handed over, as the store has it. Thread-safe. */
final class Custodies {

    private final ConcurrentMap<String, Custody> custodies;

    Custodies(StateSnapshot stored) {
        this.custodies = stored.resources().stream()
                .filter(Custody::isOne)
                .map(Custody::of)
                .collect(Collectors.toConcurrentMap(Custody::service, custody -> custody));
    }

    /** By the deployment's name, as it is at any time. */
    Map<String, Custody> all() {
        return Collections.unmodifiableMap(custodies);
    }

    Custody of(String service) {
        return Optional.ofNullable(custodies.get(service)).orElseGet(() -> Custody.none(service));
    }

    /** As the store has it by now. */
    void know(Custody custody) {
        custodies.put(custody.service(), custody);
    }

    /** Whether it was ever handed over, whoever has it now. */
    boolean hasTravelled(String service) {
        return custodies.containsKey(service);
    }

    boolean isElsewhere(String service) {
        return of(service).isElsewhere();
    }
}
