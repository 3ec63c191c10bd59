package dev.tuna.testkit.cloud.plugin;

import dev.tuna.spi.EngineSpec;
import java.time.Duration;
import java.util.Objects;

/**
 * The body of a launch plan.
 *
 * @param engine what the machine runs
 * @param orphanTimeout it ends itself when it was not observed for this long
 */
record ReplicaPlan(EngineSpec engine, Duration orphanTimeout) {

    ReplicaPlan {
        Objects.requireNonNull(engine, "engine");
        Objects.requireNonNull(orphanTimeout, "orphanTimeout");
    }
}
