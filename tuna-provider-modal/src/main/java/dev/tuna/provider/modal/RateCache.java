package dev.tuna.provider.modal;

import dev.tuna.api.TunaException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The newest prices there are: Modal's own for some hours after they were read, else the built-in table. Thread-safe. */
final class RateCache {

    private static final Logger LOG = LoggerFactory.getLogger(RateCache.class);

    /** They have not changed in months, and asking takes a process. */
    private static final Duration FRESH = Duration.ofHours(6);

    private static final Duration REST = Duration.ofMinutes(10);

    private final ModalApi api;
    private final InstantSource clock;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile GpuTable known = GpuTable.BUILT_IN;
    /** Guarded by lock. */
    private Instant nextLook = Instant.MIN;

    RateCache(ModalApi api, InstantSource clock) {
        this.api = api;
        this.clock = clock;
    }

    /** What is known already; asks nobody. */
    GpuTable known() {
        return known;
    }

    /** Asks Modal if what is known has grown old. */
    GpuTable fresh() {
        lock.lock();
        try {
            Instant now = clock.instant();
            if (!now.isBefore(nextLook)) {
                // Before the call: one that fails is not repeated at once either.
                nextLook = now.plus(REST);
                known = GpuTable.BUILT_IN.priced(api.rates(), now);
                nextLook = now.plus(FRESH);
            }
        } catch (TunaException e) {
            LOG.debug("prices are those of the {}: {}", known.source(), e.getMessage());
        } finally {
            lock.unlock();
        }
        return known;
    }
}
