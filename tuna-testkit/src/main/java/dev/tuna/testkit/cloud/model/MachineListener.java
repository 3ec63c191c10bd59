package dev.tuna.testkit.cloud.model;

import java.net.URI;
import java.util.OptionalLong;

/** Hears what becomes of a machine. */
public interface MachineListener {

    /**
     * It answers requests now.
     *
     * @param address where, without a path
     */
    void listening(URI address);

    /**
     * It is no more, on request or by itself; said exactly once and last.
     *
     * @param why a few words without secrets
     * @param requests what {@link Machine#requests()} would have said at the end; empty if unknown
     */
    void ended(String why, OptionalLong requests);
}
