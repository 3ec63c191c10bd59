package dev.tuna.core.provider;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Interrupts calls that outlive their time: a plugin that hangs in I/O or waits for a lock gives its thread back then, also
 * when nobody waits for its answer any more. Thread-safe.
 */
public final class Alarms {

    private final ScheduledExecutorService scheduler;

    /**
     * Alarms that are set on a scheduler.
     *
     * @param scheduler stays open; should not be the one that makes the calls
     */
    public Alarms(ScheduledExecutorService scheduler) {
        this.scheduler = Objects.requireNonNull(scheduler, "scheduler");
    }

    /**
     * Makes a call in this thread.
     *
     * @param <T> what it returns
     * @param limit after how long the thread is interrupted
     * @param work the call
     * @return what it returned
     */
    public <T> T call(Duration limit, Supplier<T> work) {
        var alarm = new Alarm(Thread.currentThread());
        ScheduledFuture<?> timer = scheduler.schedule(alarm::ring, limit.toNanos(), TimeUnit.NANOSECONDS);
        try {
            return work.get();
        } finally {
            timer.cancel(false);
            alarm.off();
        }
    }

    private static final class Alarm {
        private final Thread thread;
        private final ReentrantLock lock = new ReentrantLock();
        private boolean rang; // guarded by lock
        private boolean off; // guarded by lock

        Alarm(Thread thread) {
            this.thread = thread;
        }

        /** In the lock, so that the call cannot end, and its thread begin something else, in between. */
        void ring() {
            lock.lock();
            try {
                if (!off) {
                    rang = true;
                    thread.interrupt();
                }
            } finally {
                lock.unlock();
            }
        }

        /** An interrupt of ours was meant for this call, and not for what the thread does next. */
        void off() {
            lock.lock();
            try {
                off = true;
                if (rang) {
                    var unused = Thread.interrupted();
                }
            } finally {
                lock.unlock();
            }
        }
    }
}
