package dev.tuna.provider.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.TunaException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The newest prices there are: those of Google's catalogue for a while after they were read, else a table. Thread-safe. */
final class PriceBook {

    private static final Logger LOG = LoggerFactory.getLogger(PriceBook.class);
    private static final Duration FRESH = Duration.ofHours(6);
    private static final Duration REST = Duration.ofMinutes(10);

    private final ProjectApi api;
    private final InstantSource clock;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile Prices known = Prices.BUILT_IN;
    /** Guarded by lock. */
    private Instant nextLook = Instant.MIN;

    PriceBook(ProjectApi api, InstantSource clock) {
        this.api = api;
        this.clock = clock;
    }

    /** What is known already; asks nobody. */
    Prices known() {
        return known;
    }

    /** Asks Google if what is known has grown old. */
    Prices fresh() {
        lock.lock();
        try {
            Instant now = clock.instant();
            if (!now.isBefore(nextLook)) {
                // Before the call: one that fails is not repeated at once either.
                nextLook = now.plus(REST);
                List<JsonNode> skus = api.skus();
                known = Prices.BUILT_IN.with(skus, now);
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
