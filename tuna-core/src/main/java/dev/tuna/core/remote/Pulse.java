package dev.tuna.core.remote;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * Notices that nothing has come for too long from a process that promised to send at least a heartbeat. Thread-safe.
 */
final class Pulse implements AutoCloseable {

    private final Duration patience;
    private final Executor executor;
    private final Runnable onSilence;
    private volatile long last = System.nanoTime();
    private volatile boolean over;
    private volatile boolean silent;

    private Pulse(Duration patience, Executor executor, Runnable onSilence) {
        this.patience = patience;
        this.executor = executor;
        this.onSilence = onSilence;
    }

    static Pulse watch(Duration patience, Executor executor, Runnable onSilence) {
        var pulse = new Pulse(patience, executor, onSilence);
        pulse.lookIn(patience.toNanos());
        return pulse;
    }

    void beat() {
        last = System.nanoTime();
    }

    boolean isSilent() {
        return silent;
    }

    private void lookIn(long nanos) {
        CompletableFuture.delayedExecutor(nanos, TimeUnit.NANOSECONDS, executor).execute(this::look);
    }

    private void look() {
        if (over) {
            return;
        }
        long left = patience.toNanos() - (System.nanoTime() - last);
        if (left > 0) {
            lookIn(left);
        } else {
            silent = true;
            onSilence.run();
        }
    }

    @Override
    public void close() {
        over = true;
    }
}
