package dev.tuna.testkit.time;

import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Puts tasks on a {@link VirtualTime}; after shutdown it behaves like the JDK's scheduler with its default policies. */
final class VirtualScheduler extends AbstractExecutorService implements ScheduledExecutorService {

    private final VirtualTime time;
    private volatile boolean shutdown;

    VirtualScheduler(VirtualTime time) {
        this.time = time;
    }

    VirtualTime time() {
        return time;
    }

    boolean repeats() {
        return !shutdown;
    }

    /** A task handed over by execute has no future to keep its exception, so it comes out where time is moved. */
    @Override
    public void execute(Runnable command) {
        Objects.requireNonNull(command, "command");
        enqueue(new VirtualTask<Void>(this, Executors.callable(command, null), time.nanoTime(), 0) {
            @Override
            protected void setException(Throwable failure) {
                super.setException(failure);
                throw new IllegalStateException("a task failed: " + failure, failure);
            }
        });
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
        return put(new VirtualTask<>(this, Executors.callable(command), due(delay, unit), 0));
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
        return put(new VirtualTask<>(this, callable, due(delay, unit), 0));
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable command, long initialDelay, long period, TimeUnit unit) {
        return put(periodic(command, initialDelay, positive("period", unit.toNanos(period)), unit));
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable command, long initialDelay, long delay, TimeUnit unit) {
        return put(periodic(command, initialDelay, -positive("delay", unit.toNanos(delay)), unit));
    }

    private VirtualTask<?> periodic(Runnable command, long initialDelay, long period, TimeUnit unit) {
        return new VirtualTask<>(this, Executors.callable(command), due(initialDelay, unit), period);
    }

    private static long positive(String name, long nanos) {
        if (nanos <= 0) {
            throw new IllegalArgumentException(name + " must be above zero, got " + nanos + " ns");
        }
        return nanos;
    }

    /** Far-away times saturate instead of wrapping to the past. */
    private long due(long delay, TimeUnit unit) {
        long due = time.nanoTime() + Math.max(0, unit.toNanos(delay));
        return due < 0 ? Long.MAX_VALUE : due;
    }

    private <T extends VirtualTask<?>> T put(T task) {
        enqueue(task);
        return task;
    }

    private void enqueue(VirtualTask<?> task) {
        if (shutdown) {
            throw new RejectedExecutionException("the virtual scheduler was shut down");
        }
        time.enqueue(task);
    }

    @Override
    public void shutdown() {
        shutdown = true;
        for (VirtualTask<?> task : time.queuedBy(this)) {
            if (task.isPeriodic()) {
                task.cancel(false);
            }
        }
    }

    @Override
    public List<Runnable> shutdownNow() {
        shutdown = true;
        List<VirtualTask<?>> left = time.queuedBy(this);
        left.forEach(task -> task.cancel(false));
        return List.copyOf(left);
    }

    @Override
    public boolean isShutdown() {
        return shutdown;
    }

    @Override
    public boolean isTerminated() {
        return shutdown && time.queuedBy(this).isEmpty();
    }

    /** Never waits: only the caller could move time meanwhile. */
    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return isTerminated();
    }

    @Override
    public <T> List<Future<T>> invokeAll(Collection<? extends Callable<T>> tasks) {
        throw wouldBlock();
    }

    @Override
    public <T> List<Future<T>> invokeAll(Collection<? extends Callable<T>> tasks, long timeout, TimeUnit unit) {
        throw wouldBlock();
    }

    @Override
    public <T> T invokeAny(Collection<? extends Callable<T>> tasks) {
        throw wouldBlock();
    }

    @Override
    public <T> T invokeAny(Collection<? extends Callable<T>> tasks, long timeout, TimeUnit unit) {
        throw wouldBlock();
    }

    private static UnsupportedOperationException wouldBlock() {
        return new UnsupportedOperationException("it would block the thread that moves virtual time; use submit");
    }
}
