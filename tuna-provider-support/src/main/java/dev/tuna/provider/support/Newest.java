package dev.tuna.provider.support;

import dev.tuna.api.TunaException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The newest of what a cloud tells about itself, such as its GPUs and prices: its own word for a while after it was read,
 * what was known before if it cannot be read. Thread-safe; whoever comes while it is read waits for it.
 *
 * @param <T> what it is
 */
public final class Newest<T> {

    private static final Logger LOG = LoggerFactory.getLogger(Newest.class);

    private final String what;
    private final Function<Instant, T> read;
    private final Duration fresh;
    private final Duration rest;
    private final InstantSource clock;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile T known;
    private volatile boolean asked;
    private volatile Instant nextLook = Instant.MIN; // written with the lock held

    /**
     * Not read yet.
     *
     * @param what what it is called in logs
     * @param builtIn what is known until it has been read
     * @param read asks the cloud, given the time
     * @param fresh how long an answer is used before the cloud is asked again
     * @param rest how long a cloud that did not answer is left alone
     * @param clock the time
     */
    public Newest(
            String what, T builtIn, Function<Instant, T> read, Duration fresh, Duration rest, InstantSource clock) {
        this.what = Objects.requireNonNull(what, "what");
        this.known = Objects.requireNonNull(builtIn, "builtIn");
        this.read = Objects.requireNonNull(read, "read");
        this.fresh = Objects.requireNonNull(fresh, "fresh");
        this.rest = Objects.requireNonNull(rest, "rest");
        this.clock = Objects.requireNonNull(clock, "clock");
    }

    /**
     * What is known already; asks nobody.
     *
     * @return the last answer, or what is built in
     */
    public T known() {
        return known;
    }

    /**
     * Asks the cloud if what is known has grown old.
     *
     * @return its answer, or what was known before if there is none
     */
    public T fresh() {
        lock.lock();
        try {
            lookIfDue();
        } finally {
            lock.unlock();
        }
        return known;
    }

    /**
     * Asks the cloud if nobody has yet. Later nobody waits: what is known is told once more and, if it has grown old, read
     * again in the background.
     *
     * @param background where; once it is closed, what is known stays
     * @return what is known
     */
    public T soonFresh(Executor background) {
        if (!asked) {
            return fresh();
        }
        if (isDue()) {
            try {
                background.execute(this::lookUnlessSomebodyDoes);
            } catch (RejectedExecutionException e) {
                LOG.debug("{} stay as they were known: closed", what);
            }
        }
        return known;
    }

    private void lookUnlessSomebodyDoes() {
        if (lock.tryLock()) {
            try {
                lookIfDue();
            } finally {
                lock.unlock();
            }
        }
    }

    private boolean isDue() {
        return !clock.instant().isBefore(nextLook);
    }

    /** To be called with the lock held. */
    private void lookIfDue() {
        Instant now = clock.instant();
        if (now.isBefore(nextLook)) {
            return;
        }
        // Before the call: one that fails is not repeated at once either.
        nextLook = now.plus(rest);
        try {
            known = read.apply(now);
            nextLook = now.plus(fresh);
        } catch (TunaException e) {
            LOG.debug("{} stay as they were known: {}", what, e.getMessage());
        } finally {
            asked = true;
        }
    }
}
