package dev.tuna.testkit.vllm;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/** Remembers the last requests and counts all of them. Thread-safe. */
final class Journal {

    private final int keep;
    private final ReentrantLock lock = new ReentrantLock();
    /** Guarded by lock. */
    private final Deque<Recording> last = new ArrayDeque<>();
    /** Guarded by lock. */
    private final Map<Outcome, Long> ended = new EnumMap<>(Outcome.class);
    /** Guarded by lock. */
    private long arrived;
    /** Guarded by lock. */
    private long modelRequests;

    Journal(int keep) {
        this.keep = keep;
    }

    /** The number the next request gets. Called by the event loop only, before {@link #arrived(Recording)}. */
    long nextNumber() {
        lock.lock();
        try {
            return arrived + 1;
        } finally {
            lock.unlock();
        }
    }

    void arrived(Recording recording) {
        lock.lock();
        try {
            arrived++;
            modelRequests += recording.forTheModel() ? 1 : 0;
            last.add(recording);
            while (last.size() > keep) {
                last.remove();
            }
        } finally {
            lock.unlock();
        }
    }

    void ended(Recording recording, Outcome outcome) {
        lock.lock();
        try {
            recording.outcome(outcome);
            ended.merge(outcome, 1L, Long::sum);
        } finally {
            lock.unlock();
        }
    }

    long arrived() {
        lock.lock();
        try {
            return arrived;
        } finally {
            lock.unlock();
        }
    }

    long modelRequests() {
        lock.lock();
        try {
            return modelRequests;
        } finally {
            lock.unlock();
        }
    }

    long count(Outcome outcome) {
        lock.lock();
        try {
            return ended.getOrDefault(outcome, 0L);
        } finally {
            lock.unlock();
        }
    }

    List<RecordedRequest> requests() {
        lock.lock();
        try {
            return last.stream().map(Recording::snapshot).toList();
        } finally {
            lock.unlock();
        }
    }
}
