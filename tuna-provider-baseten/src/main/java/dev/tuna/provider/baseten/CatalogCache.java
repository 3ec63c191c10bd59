package dev.tuna.provider.baseten;

import dev.tuna.api.TunaException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The newest catalogue there is: Baseten's own for a while after it was read, else the built-in table. Thread-safe. */
final class CatalogCache {

    private static final Logger LOG = LoggerFactory.getLogger(CatalogCache.class);
    private static final Duration FRESH = Duration.ofMinutes(10);
    private static final Duration REST = Duration.ofMinutes(1);

    private final BasetenApi api;
    private final InstantSource clock;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile InstanceCatalog known = InstanceCatalog.BUILT_IN;
    /** Guarded by lock. */
    private Instant nextLook = Instant.MIN;

    CatalogCache(BasetenApi api, InstantSource clock) {
        this.api = api;
        this.clock = clock;
    }

    /** What is known already; asks nobody. */
    InstanceCatalog known() {
        return known;
    }

    /** Asks Baseten if what is known has grown old. */
    InstanceCatalog fresh() {
        lock.lock();
        try {
            Instant now = clock.instant();
            if (!now.isBefore(nextLook)) {
                // Before the call: one that fails is not repeated at once either.
                nextLook = now.plus(REST);
                known = api.instanceTypes(now);
                nextLook = now.plus(FRESH);
            }
        } catch (TunaException e) {
            LOG.debug("Machines and prices are those of the {}: {}", known.source(), e.getMessage());
        } finally {
            lock.unlock();
        }
        return known;
    }
}
