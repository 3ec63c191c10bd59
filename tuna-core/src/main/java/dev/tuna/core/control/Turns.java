package dev.tuna.core.control;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/** Has what concerns one name done one at a time, however long it takes; nobody waits for another name. Thread-safe. */
public final class Turns {

    private final Map<String, ReentrantLock> locks = new ConcurrentHashMap<>();

    /** With nobody's turn taken. */
    public Turns() {}

    /**
     * Waits for its turn, and does it.
     *
     * @param name whom it concerns
     * @param work may block
     * @param <T> what it gives
     * @return what it gives
     */
    public <T> T alone(String name, Supplier<T> work) {
        ReentrantLock lock = of(name);
        lock.lock();
        try {
            return work.get();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Does it, unless somebody else is at it.
     *
     * @param name whom it concerns
     * @param work may block
     */
    public void ifFree(String name, Runnable work) {
        ReentrantLock lock = of(name);
        if (lock.tryLock()) {
            try {
                work.run();
            } finally {
                lock.unlock();
            }
        }
    }

    private ReentrantLock of(String name) {
        return locks.computeIfAbsent(name, unused -> new ReentrantLock());
    }
}
