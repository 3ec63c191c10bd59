package dev.tuna.router;

/**
 * Told at once what cannot wait for the next look at {@link RouteLoad}. Called on event loops: must return quickly, never
 * block and not throw.
 */
public interface RouterListener {

    /** Hears nothing. */
    RouterListener NONE = new RouterListener() {};

    /**
     * A request arrived that no ready replica could take. Called at most once until a replica has served again, however
     * many requests arrive.
     *
     * @param deployment whose request
     */
    default void onDemand(String deployment) {}

    /**
     * An attempt failed through the backend's fault: the passive health signal.
     *
     * @param deployment whose request
     * @param backend the backend's id
     * @param failure what was seen
     * @param detail a few words for a person; never header values or bodies
     */
    default void onBackendFailure(String deployment, String backend, BackendFailure failure, String detail) {}
}
