package dev.tuna.testkit.vllm;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/** The faults in force, each with how often it still applies. Thread-safe: tests inject, the event loop takes. */
final class FaultBook {

    private static final class Entry {
        private final Fault fault;
        private int left;

        private Entry(Fault fault) {
            this.fault = fault;
            left = fault.times();
        }
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final List<Entry> entries = new ArrayList<>();

    void add(Fault fault) {
        lock.lock();
        try {
            entries.add(new Entry(fault));
        } finally {
            lock.unlock();
        }
    }

    void clear() {
        lock.lock();
        try {
            entries.clear();
        } finally {
            lock.unlock();
        }
    }

    /** The first fault that fits the request, counted as used. */
    Optional<Fault> take(RecordedRequest request) {
        lock.lock();
        try {
            for (Iterator<Entry> all = entries.iterator(); all.hasNext(); ) {
                Entry entry = all.next();
                if (entry.fault.matches().test(request)) {
                    if (entry.left != Fault.ALWAYS && --entry.left == 0) {
                        all.remove();
                    }
                    return Optional.of(entry.fault);
                }
            }
            return Optional.empty();
        } finally {
            lock.unlock();
        }
    }
}
