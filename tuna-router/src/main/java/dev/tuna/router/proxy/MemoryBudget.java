package dev.tuna.router.proxy;

import java.util.concurrent.atomic.AtomicLong;

/** A bound on the bytes that all requests together keep for one purpose. Thread-safe. */
final class MemoryBudget {

    private final long limit;
    private final AtomicLong taken = new AtomicLong();

    MemoryBudget(long limit) {
        this.limit = limit;
    }

    /** Takes all of it or nothing. */
    boolean take(long bytes) {
        if (taken.addAndGet(bytes) <= limit) {
            return true;
        }
        taken.addAndGet(-bytes);
        return false;
    }

    void giveBack(long bytes) {
        taken.addAndGet(-bytes);
    }

    long taken() {
        return taken.get();
    }
}
