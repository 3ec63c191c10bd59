package dev.tuna.testkit.cloud.model;

/** A request's claim on an endpoint, from arrival to the end of the answer. Thread-safe. */
public interface Lease {

    /**
     * The request is over.
     *
     * @param answered whether a container answered it to the end; false if it failed or the client went away
     */
    void release(boolean answered);
}
