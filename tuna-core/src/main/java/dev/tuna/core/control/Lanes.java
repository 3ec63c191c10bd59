package dev.tuna.core.control;

import java.util.ArrayDeque;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
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
    private final Map<String, Lane> lanes = new ConcurrentHashMap<>();

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
        return lanes.computeIfAbsent(name, unused -> new Lane());
    }

    private final class Lane implements Executor {
        private final ReentrantLock lock = new ReentrantLock();
        private final Queue<Runnable> tasks = new ArrayDeque<>(); // guarded by lock
        private int running; // guarded by lock

        @Override
        public void execute(Runnable task) {
            lock.lock();
            try {
                tasks.add(task);
                if (running == width) {
                    return;
                }
                running++;
            } finally {
                lock.unlock();
            }
            try {
                pool.execute(this::drain);
            } catch (RejectedExecutionException e) {
                stopped();
                throw e;
            }
        }

        private void drain() {
            for (Optional<Runnable> task = next(); task.isPresent(); task = next()) {
                try {
                    task.get().run();
                } catch (Throwable e) { // whatever a plugin throws, the lane goes on
                    LOG.error("A call failed in an unexpected way", e);
                }
            }
        }

        private Optional<Runnable> next() {
            lock.lock();
            try {
                Optional<Runnable> task = Optional.ofNullable(tasks.poll());
                if (task.isEmpty()) {
                    running--;
                }
                return task;
            } finally {
                lock.unlock();
            }
        }

        private void stopped() {
            lock.lock();
            try {
                running--;
            } finally {
                lock.unlock();
            }
        }
    }
}
