package dev.tuna.core.control;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads of one installation. Made here, stopped here; what was passed in stays running. Each kind of work has its own
 * pool, so that a cloud that hangs keeps nobody from destroying, storing or being told.
 */
public final class Threads implements AutoCloseable {

    // Room for several clouds that hang at the same time, see Lanes.
    private static final int CALLS = 32;
    private static final int ENDINGS = 32;
    private static final long PATIENCE_SECONDS = 5;

    private final List<ExecutorService> owned = new ArrayList<>();
    private final ScheduledExecutorService scheduler;
    private final Executor store;
    private final Executor calls;
    private final Executor endings;
    private final Executor catalog;
    private final Executor events;

    /**
     * Makes what is not passed in.
     *
     * @param scheduler runs the control loop and its timers; empty for an own one
     * @param executor runs everything else, at once in the caller's thread or elsewhere; empty for own pools
     */
    public Threads(Optional<ScheduledExecutorService> scheduler, Optional<Executor> executor) {
        this.scheduler = scheduler.orElseGet(this::ownScheduler);
        this.store = executor.orElseGet(() -> pool("tuna-store", 1));
        this.calls = executor.orElseGet(() -> pool("tuna-call", CALLS));
        this.endings = executor.orElseGet(() -> pool("tuna-destroy", ENDINGS));
        this.catalog = executor.orElseGet(() -> pool("tuna-catalog", CALLS));
        this.events = executor.orElseGet(() -> pool("tuna-events", 1));
    }

    /**
     * The control loop's scheduler.
     *
     * @return own or passed in
     */
    public ScheduledExecutorService scheduler() {
        return scheduler;
    }

    /**
     * For looking up prices, which may hang without holding up anything else.
     *
     * @return own or passed in
     */
    public Executor catalog() {
        return catalog;
    }

    /**
     * A further pool without bound, as HTTP clients want it.
     *
     * @return an executor that is stopped with this object
     */
    public Executor http() {
        return pool("tuna-http", Integer.MAX_VALUE, new SynchronousQueue<>());
    }

    Executor store() {
        return store;
    }

    Executor calls() {
        return calls;
    }

    Executor endings() {
        return endings;
    }

    Executor events() {
        return events;
    }

    private ScheduledExecutorService ownScheduler() {
        var own = new ScheduledThreadPoolExecutor(1, daemons("tuna-control"));
        own.setRemoveOnCancelPolicy(true);
        owned.add(own);
        return own;
    }

    private ExecutorService pool(String name, int threads) {
        return pool(name, threads, new LinkedBlockingQueue<>());
    }

    private ExecutorService pool(String name, int threads, BlockingQueue<Runnable> queue) {
        int core = threads == Integer.MAX_VALUE ? 0 : threads;
        var pool = new ThreadPoolExecutor(core, threads, 30, TimeUnit.SECONDS, queue, daemons(name));
        if (core > 0) {
            pool.allowCoreThreadTimeOut(true);
        }
        owned.add(pool);
        return pool;
    }

    /**
     * Makes daemon threads that say whose they are.
     *
     * @param name what their names begin with; a number follows
     * @return a factory
     */
    public static ThreadFactory daemons(String name) {
        var number = new AtomicInteger();
        return task -> {
            var thread = new Thread(task, name + "-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** Interrupts what runs and waits a few seconds for it. Idempotent. */
    @Override
    public void close() {
        owned.forEach(ExecutorService::shutdownNow);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        try {
            for (ExecutorService each : owned) {
                boolean ended = each.awaitTermination(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
                if (!ended) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
