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
        return take(bytes, limit);
    }

    private boolean take(long bytes, long most) {
        if (taken.addAndGet(bytes) <= most) {
            return true;
        }
        taken.addAndGet(-bytes);
        return false;
    }

    @Override
    public void giveBack(long bytes) {
        taken.addAndGet(-bytes);
    }

    /**
     * A part of this budget: takes nothing that would use up more than that, so that the rest is left for others. Is given
     * back what was taken here, and the other way round.
     *
     * @param most bytes, of all that is taken here and there
     */
    TokenRecorder.Room upTo(long most) {
        return new TokenRecorder.Room() {
            @Override
            public boolean take(long bytes) {
                return MemoryBudget.this.take(bytes, most);
            }

            @Override
            public void giveBack(long bytes) {
                MemoryBudget.this.giveBack(bytes);
            }
        };
    }

    long limit() {
        return limit;
    }

    long taken() {
        return taken.get();
    }
}
