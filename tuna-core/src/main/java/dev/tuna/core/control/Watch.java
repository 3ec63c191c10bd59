package dev.tuna.core.control;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.tuna.core.config.Wire;
import dev.tuna.spi.StateStore;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Up to when replicas have been looked after, as the store has it: one that nobody speaks to ends itself after the orphan
 * time-out, and so cannot have lived for longer, whenever its cloud is asked again. Blocks.
 *
 * @param store where it is kept
 * @param orphanTimeout after which a replica ends itself
 */
record Watch(StateStore store, Duration orphanTimeout) {

    /** How often it is noted, and so how much later it may have ended. */
    static final Duration INTERVAL = Duration.ofMinutes(1);

    private static final TypeReference<Instant> UNTIL = new TypeReference<>() {};
    private static final String SETTING = "watched-until";

    /** When a replica that ended before the next look must have ended; empty if nobody has watched yet. */
    Optional<Instant> lastEnd() {
        return store.setting(SETTING)
                .map(json -> Wire.stored(json, UNTIL, "when replicas were last looked after, in the store"))
                .map(until -> until.plus(INTERVAL).plus(orphanTimeout));
    }

    void note(Instant now) {
        store.setSetting(SETTING, Wire.write(now));
    }
}
