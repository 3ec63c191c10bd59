package dev.tuna.core.machine;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Who is looked after on a machine, as far as this process has given, seen or heard it. Thread-safe. */
final class Residents {

    private volatile Set<String> seen = Set.of();
    private final Set<String> given = ConcurrentHashMap.newKeySet();
    private final Set<String> ending = ConcurrentHashMap.newKeySet();

    /** Whoever handed them over. */
    void seen(Set<String> names) {
        seen = Set.copyOf(names);
        given.removeAll(names);
        ending.retainAll(names);
    }

    /** It has been taken in there just now, and is seen with the next look. */
    void given(String name) {
        given.add(name);
    }

    /** Somebody has begun to destroy it there. */
    void ends(String name) {
        ending.add(name);
    }

    /** Whether this process gave it, or has seen it there with its last look, and nobody was destroying it. */
    boolean hadLiving(String name) {
        return (seen.contains(name) || given.contains(name)) && !ending.contains(name);
    }
}
