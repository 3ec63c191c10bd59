package dev.tuna.core.machine;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.TimedOutException;
import dev.tuna.core.control.Threads;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * The threads of router VMs, and of those who wait for them. There is none until it is asked for; closing ends them all.
 * Thread-safe.
 */
final class Waits implements AutoCloseable {

    private static final Duration BETWEEN_STEPS = Duration.ofSeconds(1);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private Optional<ScheduledExecutorService> steps = Optional.empty(); // guarded by lock
    private Optional<ExecutorService> workers = Optional.empty(); // guarded by lock
    private boolean closed; // guarded by lock

    /** Has it done every second from now on, if not yet. */
    void step(Runnable step) {
        lock.lock();
        try {
            if (steps.isEmpty() && !closed) {
                ScheduledExecutorService own =
                        Executors.newSingleThreadScheduledExecutor(Threads.daemons("tuna-router-vms"));
                var unused = own.scheduleWithFixedDelay(step, 0, BETWEEN_STEPS.toMillis(), TimeUnit.MILLISECONDS);
                steps = Optional.of(own);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Has it done by a thread of its own, after which those who wait look again. */
    void begin(Runnable work) {
        lock.lock();
        try {
            if (!closed) {
                workers().execute(() -> {
                    try {
                        work.run();
                    } finally {
                        tell();
                    }
                });
            }
        } finally {
            lock.unlock();
        }
    }

    /** What it comes to, or why it does not, once a thread of its own has done it. */
    <T> CompletableFuture<T> later(Supplier<T> work) {
        lock.lock();
        try {
            if (closed) {
                throw new ConfigurationException(ErrorCode.CLOSED, "this Tuna is closed; start another one");
            }
            var result = new CompletableFuture<T>();
            workers().execute(() -> {
                try {
                    result.complete(work.get());
                } catch (CompletionException e) {
                    result.completeExceptionally(e.getCause() == null ? e : e.getCause());
                } catch (RuntimeException e) {
                    result.completeExceptionally(e);
                }
            });
            return result;
        } finally {
            lock.unlock();
        }
    }

    private ExecutorService workers() {
        workers = Optional.of(
                workers.orElseGet(() -> Executors.newCachedThreadPool(Threads.daemons("tuna-router-vm-waiter"))));
        return workers.orElseThrow();
    }

    private void tell() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Whether it holds before the time is over. */
    boolean awaitWithin(Duration limit, BooleanSupplier condition, String what) {
        long until = System.nanoTime() + limit.toNanos();
        await(() -> condition.getAsBoolean() || System.nanoTime() >= until, what);
        return condition.getAsBoolean();
    }

    void await(BooleanSupplier condition, String what) {
        lock.lock();
        try {
            while (!condition.getAsBoolean()) {
                if (closed) {
                    throw new ConfigurationException(ErrorCode.CLOSED, "this Tuna was closed; the next start goes on");
                }
                var unused = changed.await(BETWEEN_STEPS.toMillis(), TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TimedOutException("interrupted while waiting for " + what);
        } finally {
            lock.unlock();
        }
    }

    /** For a second. */
    void pause() {
        long until = System.nanoTime() + BETWEEN_STEPS.toNanos();
        await(() -> System.nanoTime() >= until, "the next step");
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            steps.ifPresent(ExecutorService::shutdownNow);
            workers.ifPresent(ExecutorService::shutdownNow);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
