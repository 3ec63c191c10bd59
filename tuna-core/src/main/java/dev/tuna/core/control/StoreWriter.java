package dev.tuna.core.control;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.TunaException;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes changes to the store in the order in which they came, several at once if they have piled up, and only then runs
 * what was to wait for them. While the store cannot be written nothing is lost and nothing is done outside: it is tried
 * again until it can. Thread-safe.
 */
final class StoreWriter {

    private static final Logger LOG = LoggerFactory.getLogger(StoreWriter.class);
    private static final StateChange NOTHING = new StateChange(List.of(), List.of(), List.of());
    private static final Duration RETRY = Duration.ofSeconds(1);

    private final StateStore store;
    private final Executor executor;
    private final ScheduledExecutorService scheduler;

    private final ReentrantLock saving = new ReentrantLock();
    private final ReentrantLock lock = new ReentrantLock();
    private List<Write> queue = new ArrayList<>(); // guarded by lock
    private boolean writing; // guarded by lock
    private volatile Optional<String> problem = Optional.empty();

    private record Write(StateChange change, Runnable after) {}

    StoreWriter(StateStore store, Executor executor, ScheduledExecutorService scheduler) {
        this.store = store;
        this.executor = executor;
        this.scheduler = scheduler;
    }

    /** Why the store cannot be written at the moment. */
    Optional<String> problem() {
        return problem;
    }

    /**
     * Queues a change.
     *
     * @param change what is to be stored
     * @param after runs when it is on disk, on the store's executor; must return quickly
     */
    void write(StateChange change, Runnable after) {
        lock.lock();
        try {
            queue.add(new Write(change, after));
            if (writing) {
                return;
            }
            writing = true;
        } finally {
            lock.unlock();
        }
        submit();
    }

    /** Runs something when all that is on its way to the disk is there. */
    void whenStored(Runnable after) {
        write(NOTHING, after);
    }

    private void submit() {
        try {
            executor.execute(this::drain);
        } catch (RejectedExecutionException e) {
            LOG.debug("Store is closing");
        }
    }

    private void drain() {
        for (List<Write> batch = saveNext(); !batch.isEmpty(); batch = saveNext()) {
            batch.forEach(write -> write.after().run());
        }
    }

    /** Taking and saving are one step, so that nothing newer gets ahead of what is being saved. */
    private List<Write> saveNext() {
        saving.lock();
        try {
            List<Write> batch = next();
            try {
                save(together(changes(batch)));
                problem = Optional.empty();
                return batch;
            } catch (TunaException e) {
                putBack(batch);
                failed(e);
                return List.of();
            }
        } finally {
            saving.unlock();
        }
    }

    private List<Write> next() {
        lock.lock();
        try {
            List<Write> batch = queue;
            queue = new ArrayList<>();
            writing = !batch.isEmpty();
            return batch;
        } finally {
            lock.unlock();
        }
    }

    private static List<StateChange> changes(List<Write> batch) {
        return batch.stream().map(Write::change).toList();
    }

    private void putBack(List<Write> batch) {
        lock.lock();
        try {
            var all = new ArrayList<>(batch);
            all.addAll(queue);
            queue = all;
        } finally {
            lock.unlock();
        }
    }

    private void failed(TunaException failure) {
        if (failure.code() == ErrorCode.CLOSED) {
            return;
        }
        if (problem.isEmpty()) {
            LOG.error("State cannot be stored; nothing is begun or removed until it can", failure);
        }
        problem = Optional.of(String.valueOf(failure.getMessage()));
        try {
            var unused = scheduler.schedule(this::submit, RETRY.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("Store is closing");
        }
    }

    /** Writes what is left, once, in the caller's thread; what was to follow is not done any more. */
    void flush() {
        saving.lock();
        try {
            save(together(changes(next())));
        } finally {
            saving.unlock();
        }
    }

    private void save(StateChange change) {
        if (!isEmpty(change)) {
            store.save(change);
        }
    }

    static boolean isEmpty(StateChange change) {
        return change.deployments().isEmpty()
                && change.resources().isEmpty()
                && change.ledger().isEmpty();
    }

    /** All parts of several changes, in their order. */
    static StateChange together(List<StateChange> changes) {
        if (changes.size() == 1) {
            return changes.get(0);
        }
        return new StateChange(
                changes.stream()
                        .flatMap(change -> change.deployments().stream())
                        .toList(),
                changes.stream().flatMap(change -> change.resources().stream()).toList(),
                changes.stream().flatMap(change -> change.ledger().stream()).toList());
    }
}
