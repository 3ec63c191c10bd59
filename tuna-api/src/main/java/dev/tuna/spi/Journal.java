package dev.tuna.spi;

import java.util.List;

/**
 * The durable list of outside resources, written ahead of the outside effect so that a crash leaves no orphan.
 *
 * <p>Core itself journals the resource that {@code begin} and {@code launch} return. A plugin declares here whatever
 * else it makes on the way (a template, a bucket object, a key), each before it is made. Thread-safe; each call returns
 * when the entry is on disk.
 */
public interface Journal {

    /**
     * Declares that a resource is about to be made. Declaring it again is harmless.
     *
     * @param deployment the deployment it is for
     * @param resource its deterministic name as id
     * @param body the whole request that will be sent, so that a retry after a crash is equal; no secrets
     * @throws dev.tuna.api.StoreException if it cannot be stored; the resource must then not be made
     */
    void intend(String deployment, ResourceRef resource, String body);

    /**
     * Notes that a resource is gone, verified with the provider.
     *
     * @param resource the resource as it was declared
     * @throws dev.tuna.api.StoreException if it cannot be stored
     */
    void gone(ResourceRef resource);

    /**
     * What was declared for a deployment through this journal and is not known to be gone.
     *
     * @param deployment the deployment
     * @return resources in the order in which they were declared
     */
    List<ResourceRef> open(String deployment);
}
