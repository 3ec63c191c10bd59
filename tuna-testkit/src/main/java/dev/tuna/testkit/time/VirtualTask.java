package dev.tuna.testkit.time;

import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RunnableScheduledFuture;
import java.util.concurrent.TimeUnit;

/** One scheduled task; its order in the heap is due time, then the order of scheduling. */
class VirtualTask<V> extends FutureTask<V> implements RunnableScheduledFuture<V> {

    private final VirtualScheduler owner;
    /** Nanoseconds: above zero a fixed rate, below zero a fixed delay, zero for a task that runs once. */
    private final long period;

    private long due;
    private long order;
    /** Guarded by the lock of the time it belongs to. */
    private boolean queued;
    /** Guarded by the same lock: it was cancelled while in the heap and is counted as such. */
    private boolean forgotten;

    VirtualTask(VirtualScheduler owner, Callable<V> work, long due, long period) {
        super(work);
        this.owner = owner;
        this.due = due;
        this.period = period;
    }

    VirtualScheduler owner() {
        return owner;
    }

    long due() {
        return due;
    }

    void order(long order) {
        this.order = order;
    }

    boolean queued() {
        return queued;
    }

    void queued(boolean queued) {
        this.queued = queued;
    }

    boolean forgotten() {
        return forgotten;
    }

    void forgotten(boolean forgotten) {
        this.forgotten = forgotten;
    }

    @Override
    public boolean isPeriodic() {
        return period != 0;
    }

    @Override
    public void run() {
        if (!isPeriodic()) {
            super.run();
        } else if (runAndReset() && owner.repeats()) {
            due = period > 0 ? due + period : owner.time().nanoTime() - period;
            owner.time().enqueue(this);
        }
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean done = super.cancel(mayInterruptIfRunning);
        if (done) {
            owner.time().forget(this);
        }
        return done;
    }

    @Override
    public long getDelay(TimeUnit unit) {
        return unit.convert(due - owner.time().nanoTime(), TimeUnit.NANOSECONDS);
    }

    @Override
    public int compareTo(Delayed other) {
        VirtualTask<?> task = (VirtualTask<?>) other;
        int byDue = Long.compare(due, task.due);
        return byDue != 0 ? byDue : Long.compare(order, task.order);
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
