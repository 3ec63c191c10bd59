package dev.tuna.spi;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.PreflightReport;
import java.util.List;

/**
 * A serverless cloud, opened. Thread-safe; every method is short (seconds) and idempotent. What takes long is begun and
 * then observed. Unless said otherwise methods throw {@link dev.tuna.api.TunaException} kinds only:
 * {@link dev.tuna.api.ProviderException} for refusals and unreachable APIs, with {@code retryable} set truthfully.
 */
public interface ServerlessCloud extends AutoCloseable {

    /**
     * Checks whether a deployment can work, and creates nothing.
     *
     * @param spec what would be deployed
     * @param fix whether to mend harmless things (enable an API, say); they are then reported as fixed
     * @return every check made; a failed one names its fix
     */
    PreflightReport preflight(ServerlessSpec spec, boolean fix);

    /**
     * The GPUs this cloud offers, with live prices where it tells them: one offer for each number of GPUs that a
     * container can have. A number without an offer is one that the cloud cannot give.
     *
     * @param query which ones
     * @return offers that match
     */
    List<GpuOffer> offers(GpuQuery query);

    /**
     * What would be sent. Pure: no contact with the cloud, the same plan for the same spec.
     *
     * @param spec what to deploy
     * @return the plan
     * @throws dev.tuna.api.ConfigurationException if a value that the user set cannot be honoured
     */
    ServerlessPlan plan(ServerlessSpec spec);

    /**
     * Starts making what the plan says, or updates what exists under its name. Returns before it serves. Calling it
     * again with an equal plan makes nothing twice.
     *
     * @param plan from {@link #plan}, possibly stored and read back
     * @return the main resource, to be observed and destroyed
     */
    ResourceRef begin(ServerlessPlan plan);

    /**
     * Looks at a resource.
     *
     * @param resource from {@link #begin} or {@link #find}
     * @return its state now; {@link dev.tuna.api.BackendPhase#GONE} if it does not exist
     */
    ServerlessObservation observe(ResourceRef resource);

    /**
     * Starts removing a resource and everything made for it. A resource that does not exist counts as removed;
     * {@link #observe} confirms.
     *
     * @param resource from {@link #begin} or {@link #find}
     */
    void destroy(ResourceRef resource);

    /**
     * Everything in this cloud that carries a Tuna owner tag, whoever's.
     *
     * @return found resources, main ones and helpers
     */
    List<FoundResource> find();

    /**
     * What the endpoint's containers have written lately.
     *
     * @param resource from {@link #begin} or {@link #find}
     * @param lines how many at the most, 1 or more
     * @return the newest lines, oldest first; empty if there are none, or the endpoint does not exist
     * @throws dev.tuna.api.ConfigurationException if this cloud tells no logs, as by default
     */
    default List<LogLine> logs(ResourceRef resource, int lines) {
        throw unsupported(resource, "tell the logs of an endpoint");
    }

    /**
     * Removes what is kept between the endpoint's containers (weights, compiled kernels), so that the next one fetches
     * it anew. Containers that serve go on; nothing of another deployment is touched. By default nothing is kept, and
     * nothing is done.
     *
     * @param resource from {@link #begin} or {@link #find}
     */
    default void clearCache(ResourceRef resource) {}

    /**
     * Lets an endpoint have no containers, so that it costs nothing and answers nothing, but keeps it. Until
     * {@link #unpark} or {@link #begin} {@link #observe} tells {@link dev.tuna.api.BackendPhase#DRAINING}, over restarts
     * too. Parking what is parked or gone is harmless.
     *
     * @param resource from {@link #begin} or {@link #find}
     * @throws dev.tuna.api.ConfigurationException if this cloud cannot park, as by default
     */
    default void park(ResourceRef resource) {
        throw unsupported(resource, "park an endpoint; destroy it instead");
    }

    /**
     * Lets a parked endpoint have containers again, as many as before. Harmless for one that is not parked.
     *
     * @param resource from {@link #begin} or {@link #find}
     * @throws dev.tuna.api.ConfigurationException if this cloud cannot park, as by default
     */
    default void unpark(ResourceRef resource) {
        throw unsupported(resource, "park an endpoint");
    }

    private static ConfigurationException unsupported(ResourceRef resource, String what) {
        return new ConfigurationException(
                ErrorCode.INVALID_REQUEST, "provider " + resource.provider() + " cannot " + what);
    }

    /** Releases what this object made. Idempotent; never destroys outside resources. */
    @Override
    void close();
}
