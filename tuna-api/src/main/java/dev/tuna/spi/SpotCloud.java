package dev.tuna.spi;

import dev.tuna.api.PreflightReport;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A cloud that rents machines, opened. Thread-safe; every method is short (seconds) and idempotent. What takes long is
 * begun and then observed. It offers primitives; how many replicas, where and when is core's to decide.
 */
public interface SpotCloud extends AutoCloseable {

    /**
     * Checks whether replicas could be launched, and creates nothing.
     *
     * @param spec what would be launched
     * @param fix whether to mend harmless things; they are then reported as fixed
     * @return every check made; a failed one names its fix
     */
    PreflightReport preflight(ReplicaSpec spec, boolean fix);

    /**
     * The pools that fit a spec, spot and on-demand, with prices. May answer from a cache that is minutes old.
     *
     * @param spec what would be launched
     * @return offers, in no particular order; empty if nothing fits
     */
    List<PoolOffer> pools(ReplicaSpec spec);

    /**
     * Every GPU this cloud rents, for catalogues: one offer per pool.
     *
     * @return offers, in no particular order
     */
    List<PoolOffer> pools();

    /**
     * What would be sent. Pure: no contact with the cloud, the same plan for the same arguments.
     *
     * @param spec what to launch
     * @param pools pools that may be used, best first; not empty
     * @param token idempotency token, letters, digits and hyphens, at most 64
     * @return the plan
     * @throws dev.tuna.api.ConfigurationException if a value that the user set cannot be honoured
     */
    LaunchPlan plan(ReplicaSpec spec, List<CapacityPool> pools, String token);

    /**
     * Asks for one replica. Returns before it boots. Launching again with the same plan returns the same replica.
     *
     * @param plan from {@link #plan}, possibly stored and read back
     * @return the replica
     * @throws dev.tuna.api.CapacityException if no allowed pool has a machine now; nothing was launched
     */
    ResourceRef launch(LaunchPlan plan);

    /**
     * Looks at replicas, in as few calls to the cloud as it takes.
     *
     * @param replicas from {@link #launch} or {@link #find}
     * @return one observation for each; {@link dev.tuna.api.BackendPhase#GONE} for those that no longer exist
     */
    Map<ResourceRef, ReplicaObservation> observe(Collection<ResourceRef> replicas);

    /**
     * Starts terminating a replica. One that does not exist counts as terminated; {@link #observe} confirms.
     *
     * @param replica from {@link #launch} or {@link #find}
     */
    void terminate(ResourceRef replica);

    /**
     * Removes what was made for a deployment beside its replicas (launch templates, security groups …). Called when
     * every replica is gone; makes no fuss about what does not exist. Does nothing by default.
     *
     * @param deployment the deployment's name
     */
    default void cleanUp(String deployment) {}

    /**
     * Everything in this cloud that carries a Tuna owner tag, whoever's.
     *
     * @return found resources, replicas and helpers
     */
    List<FoundResource> find();

    /**
     * The part of this cloud that rents machines for routers.
     *
     * @return empty, unless the cloud has one; not to be closed
     */
    default Optional<RouterCloud> routers() {
        return Optional.empty();
    }

    /** Releases what this object made. Idempotent; never terminates a replica. */
    @Override
    void close();
}
