package dev.tuna.testkit.cloud.model;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * The place the model stands on: one lock, one clock, timers and machines that come back under the lock.
 *
 * <p>What outsiders are to hear is queued with {@link #tell} and said after the lock is free, so that they may call in
 * again.
 */
final class Site {

    private final InstantSource clock;
    private final ScheduledExecutorService scheduler;
    private final MachineRunner runner;
    private final String idPrefix;
    private final ReentrantLock lock = new ReentrantLock();
    /** Guarded by lock. */
    private Deque<Runnable> untold = new ArrayDeque<>();
    /** Guarded by lock. */
    private long ids;

    Site(InstantSource clock, ScheduledExecutorService scheduler, MachineRunner runner, String idPrefix) {
        this.clock = clock;
        this.scheduler = scheduler;
        this.runner = runner;
        this.idPrefix = idPrefix;
    }

    <T> T locked(Supplier<T> work) {
        Deque<Runnable> tell = new ArrayDeque<>();
        lock.lock();
        try {
            return work.get();
        } finally {
            if (lock.getHoldCount() == 1) {
                tell = untold;
                untold = new ArrayDeque<>();
            }
            lock.unlock();
            tell.forEach(Runnable::run);
        }
    }

    void run(Runnable work) {
        locked(() -> {
            work.run();
            return true;
        });
    }

    void tell(Runnable message) {
        untold.add(message);
    }

    Instant now() {
        return clock.instant();
    }

    Future<?> after(Duration delay, Runnable task) {
        try {
            return scheduler.schedule(() -> run(task), delay.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            // The cloud is being closed: machines still report their end, but nothing is begun any more.
            return CompletableFuture.completedFuture(null);
        }
    }

    /** For what need not be taken back. */
    void later(Duration delay, Runnable task) {
        Future<?> unused = after(delay, task);
    }

    String nextId(String kind) {
        return kind + "-" + idPrefix + ++ids;
    }

    Machine start(MachineSpec spec, MachineListener listener) {
        return runner.start(spec, new MachineListener() {
            @Override
            public void listening(URI address) {
                run(() -> listener.listening(address));
            }

            @Override
            public void ended(String why, OptionalLong requests) {
                run(() -> listener.ended(why, requests));
            }
        });
    }
}
