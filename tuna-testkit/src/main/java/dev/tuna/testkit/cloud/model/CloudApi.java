package dev.tuna.testkit.cloud.model;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an account holder can ask of the cloud. Thread-safe; every method is short. The cloud itself refuses with
 * {@link CloudRefusal}; on the way to it, calls fail with {@link dev.tuna.api.TunaException}.
 */
public interface CloudApi {

    /**
     * GPUs that serverless containers can have.
     *
     * @return canonical GPU name to US dollars per GPU and hour
     */
    Map<String, BigDecimal> serverlessPrices();

    /**
     * Makes an endpoint, or changes the one of that name; an equal request changes nothing.
     *
     * @param request what it shall be
     * @return the endpoint
     */
    EndpointView putEndpoint(EndpointRequest request);

    /**
     * Looks at an endpoint.
     *
     * @param name its name
     * @return the endpoint, also for a while after it is gone; empty if unknown
     */
    Optional<EndpointView> endpoint(String name);

    /**
     * Begins to remove an endpoint; one that does not exist is no error.
     *
     * @param name its name
     */
    void deleteEndpoint(String name);

    /**
     * Every endpoint that is not gone.
     *
     * @return in the order in which they were made
     */
    List<EndpointView> endpoints();

    /**
     * Every capacity pool.
     *
     * @return in the order of the settings
     */
    List<PoolView> pools();

    /**
     * Rents a machine in the first of the allowed pools that has one.
     *
     * @param request what shall run where; a token that was used before gives the same replica again
     * @return the replica
     */
    ReplicaView launch(LaunchRequest request);

    /**
     * Looks at replicas, which also tells them that somebody still cares.
     *
     * @param ids which
     * @return those known, also for a while after they ended
     */
    List<ReplicaView> observe(List<String> ids);

    /**
     * Begins to end a replica; one that does not exist is no error.
     *
     * @param id which
     */
    void terminate(String id);

    /**
     * Every replica that is not gone.
     *
     * @return in the order in which they were launched
     */
    List<ReplicaView> replicas();
}
