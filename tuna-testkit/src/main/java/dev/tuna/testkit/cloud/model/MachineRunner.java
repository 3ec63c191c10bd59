package dev.tuna.testkit.cloud.model;

/** Runs model servers: as processes, as objects in this JVM, or as nothing but timers. Thread-safe. */
public interface MachineRunner extends AutoCloseable {

    /**
     * Starts a model server. Returns at once, and neither calls the listener before it returns nor throws because a
     * machine could not be started: that is told as {@link MachineListener#ended}.
     *
     * @param spec what to run
     * @param listener is told what becomes of it, from any thread
     * @return the handle
     */
    Machine start(MachineSpec spec, MachineListener listener);

    /**
     * How many machines are alive right now.
     *
     * @return zero or more
     */
    int running();

    /** Kills every machine and returns when none is left. Idempotent. */
    @Override
    void close();
}
