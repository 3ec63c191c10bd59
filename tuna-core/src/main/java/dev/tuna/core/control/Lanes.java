package dev.tuna.core.control;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shares one pool out, so that calls to a cloud that hangs take up a few of its threads and no more: whoever comes after
 * them waits, and calls to other clouds go on. Thread-safe.
 */
final class Lanes {

    private static final Logger LOG = LoggerFactory.getLogger(Lanes.class);

    private final Executor pool;
    private final int width;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, Lane> lanes = new HashMap<>(); // those in use; guarded by lock

    /**
     * Lanes of a pool.
     *
     * @param width tasks of one lane that run at the same time
     */
    Lanes(Executor pool, int width) {
        this.pool = pool;
        this.width = width;
    }

    Executor of(String name) {
        return task -> execute(name, task);
    }

    /** How many lanes are in use. */
    int inUse() {
        lock.lock();
        try {
            return lanes.size();
        } finally {
            lock.unlock();
        }
    }

    private static final class Lane {
        final Queue<Runnable> tasks = new ArrayDeque<>();
        int running;
    }

    private void execute(String name, Runnable task) {
        lock.lock();
        try {
            Lane lane = lanes.computeIfAbsent(name, unused -> new Lane());
            lane.tasks.add(task);
            if (lane.running == width) {
                return;
            }
            lane.running++;
        } finally {
            lock.unlock();
        }
        try {
            pool.execute(() -> drain(name));
        } catch (RejectedExecutionException e) {
            stopped(name);
            throw e;
        }
    }

    private void drain(String name) {
        for (Optional<Runnable> task = next(name); task.isPresent(); task = next(name)) {
            try {
                task.get().run();
            } catch (Throwable e) { // whatever a plugin throws, the lane goes on
                LOG.error("A call failed in an unexpected way", e);
            }
        }
    }

    private Optional<Runnable> next(String name) {
        lock.lock();
        try {
            Optional<Runnable> task =
                    Optional.ofNullable(lanes.get(name)).flatMap(lane -> Optional.ofNullable(lane.tasks.poll()));
            if (task.isEmpty()) {
                stopped(name);
            }
            return task;
        } finally {
            lock.unlock();
        }
    }

    private void stopped(String name) {
        lock.lock();
        try {
            Lane lane = Objects.requireNonNull(lanes.get(name), name);
            lane.running--;
            if (lane.running == 0) {
                lanes.remove(name);
            }
        } finally {
            lock.unlock();
        }
    }
}
