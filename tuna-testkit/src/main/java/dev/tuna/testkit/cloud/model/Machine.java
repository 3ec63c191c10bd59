package dev.tuna.testkit.cloud.model;

import java.util.OptionalLong;

/** A model server that was started. Thread-safe; no method but {@link #requests} blocks. */
public interface Machine {

    /** Asks it to end in order, as SIGTERM does; it is made to if it takes too long. Idempotent. */
    void stop();

    /** Ends it this instant, as a lost machine does. Idempotent. */
    void kill();

    /**
     * How many requests for the model it has had: {@code POST} below {@code /v1}, so no probes. May block for a second.
     *
     * @return empty if it cannot be known
     */
    OptionalLong requests();

    /**
     * Its process id.
     *
     * @return empty if it is no process, or not yet
     */
    OptionalLong pid();
}
