package dev.tuna.router.proxy;

import dev.tuna.router.stream.TokenRecorder;
import java.util.concurrent.atomic.AtomicLong;

/** A bound on the bytes that all requests together keep for one purpose. Thread-safe. */
final class MemoryBudget implements TokenRecorder.Room {

    private final long limit;
    private final AtomicLong taken = new AtomicLong();

    MemoryBudget(long limit) {
        this.limit = limit;
    }

    /** Takes all of it or nothing. */
    @Override
    public boolean take(long bytes) {
        if (taken.addAndGet(bytes) <= limit) {
            return true;
        }
        taken.addAndGet(-bytes);
        return false;
    }

    @Override
    public void giveBack(long bytes) {
        taken.addAndGet(-bytes);
    }

    long taken() {
        return taken.get();
    }
}
