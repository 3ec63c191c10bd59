package dev.tuna.spot.aws;

import dev.tuna.api.TunaException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a cloud tells about itself. Whoever asks first waits until it has been read; afterwards nobody does: what has grown old
 * is told once more and read again in the background. What cannot be read stays as it was known. Thread-safe.
 *
 * @param <T> what it is
 */
final class Refreshed<T> {

    private static final Logger LOG = LoggerFactory.getLogger(Refreshed.class);

    private final String what;
    private final Function<Instant, T> read;
    private final Duration fresh;
    private final Duration rest;
    private final InstantSource clock;
    private final Executor background;
    private final ReentrantLock reading = new ReentrantLock();
    private volatile T known;
    private volatile boolean asked;
    private volatile Instant nextLook = Instant.MIN;

    /**
     * Not read yet.
     *
     * @param what what it is called in logs
     * @param builtIn what is known until it has been read
     * @param read asks the cloud, given the time
     * @param fresh how long an answer is used before the cloud is asked again
     * @param rest how long a cloud that did not answer is left alone
     * @param clock the time
     * @param background where to read again
     */
    Refreshed(
            String what,
            T builtIn,
            Function<Instant, T> read,
            Duration fresh,
            Duration rest,
            InstantSource clock,
            Executor background) {
        this.what = what;
        this.known = builtIn;
        this.read = read;
        this.fresh = fresh;
        this.rest = rest;
        this.clock = clock;
        this.background = background;
    }

    /** What is known already; asks nobody. */
    T known() {
        return known;
    }

    /** What is known, read first if it never was. */
    T get() {
        if (!asked) {
            reading.lock();
            try {
                if (!asked) {
                    look();
                }
            } finally {
                reading.unlock();
            }
        } else if (isDue()) {
            inBackground();
        }
        return known;
    }

    private boolean isDue() {
        return !clock.instant().isBefore(nextLook);
    }

    private void inBackground() {
        try {
            background.execute(() -> {
                // Whoever comes while it is read has nothing to add.
                if (reading.tryLock()) {
                    try {
                        if (isDue()) {
                            look();
                        }
                    } finally {
                        reading.unlock();
                    }
                }
            });
        } catch (RejectedExecutionException e) {
            LOG.debug("{} stay as they were known: closed", what);
        }
    }

    /** To be called with the lock held. */
    private void look() {
        Instant now = clock.instant();
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
