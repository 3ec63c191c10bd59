package dev.tuna.core.provider;

import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Supplier;

/**
 * Calls that are being made, so that one that nobody waits for any more can be interrupted: a plugin that hangs in I/O or in
 * a lock gives its thread back then. Thread-safe.
 *
 * @param <K> what a call goes by
 */
public final class Underway<K> {

    private final ConcurrentMap<K, Thread> threads = new ConcurrentHashMap<>();

    /** Nothing is under way yet. */
    public Underway() {}

    /**
     * Makes a call in this thread.
     *
     * @param <T> what it returns
     * @param key unique among the calls under way
     * @param work the call
     * @return what it returned
     */
    public <T> T call(K key, Supplier<T> work) {
        Thread me = Thread.currentThread();
        boolean interrupted = me.isInterrupted();
        threads.put(key, me);
        try {
            return work.get();
        } finally {
            threads.remove(key, me);
            if (!interrupted) {
                // An interrupt was meant for this call, which is over, and not for what the thread does next.
                var unused = Thread.interrupted();
            }
        }
    }

    /**
     * Interrupts a call.
     *
     * @param key whose; if it is over already, nothing happens
     */
    public void interrupt(K key) {
        // In the map's lock, so that the call cannot end, and its thread begin something else, in between.
        var unused = threads.computeIfPresent(Objects.requireNonNull(key, "key"), (same, thread) -> {
            thread.interrupt();
            return thread;
        });
    }
}
