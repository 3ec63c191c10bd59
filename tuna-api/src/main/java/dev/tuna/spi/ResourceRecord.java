package dev.tuna.spi;

import dev.tuna.api.Tier;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * An outside resource as it is stored, from the intent to make it until the cloud confirms that it is gone.
 *
 * @param key unique for ever; made with the intent, before the provider's id is known
 * @param deploymentId {@link DeploymentRecord#id()}
 * @param provider the provider's name
 * @param tier what kind of machine; empty for helpers that bill nothing by time
 * @param state how sure we are of it
 * @param resource the provider's name for it, once known
 * @param plan the whole plan as JSON, so that a retry after a crash is byte-equal
 * @param details what else core keeps (address, phase, price, times), as JSON
 * @param createdAt when the intent was made
 * @param updatedAt when this record was made
 */
public record ResourceRecord(
        String key,
        String deploymentId,
        String provider,
        Optional<Tier> tier,
        State state,
        Optional<ResourceRef> resource,
        String plan,
        String details,
        Instant createdAt,
        Instant updatedAt) {

    /** Checks that every part is there. */
    public ResourceRecord {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(deploymentId, "deploymentId");
        Objects.requireNonNull(provider, "provider");
        Objects.requireNonNull(tier, "tier");
        Objects.requireNonNull(state, "state");
        Objects.requireNonNull(resource, "resource");
        Objects.requireNonNull(plan, "plan");
        Objects.requireNonNull(details, "details");
        Objects.requireNonNull(createdAt, "createdAt");
        Objects.requireNonNull(updatedAt, "updatedAt");
    }

    /**
     * The same resource, of which we are sure in another way by now.
     *
     * @param next how sure
     * @param at when that was found out
     * @return a copy
     */
    public ResourceRecord in(State next, Instant at) {
        return new ResourceRecord(key, deploymentId, provider, tier, next, resource, plan, details, createdAt, at);
    }

    /** How sure we are of a resource. */
    public enum State {
        /** It is about to be made, and may exist. */
        INTENDED,
        /** The provider confirmed that it was made. */
        LIVE,
        /** It is about to be removed, and may be gone. */
        ENDING,
        /** The provider confirmed that it is gone, or that it never came to be. */
        GONE
    }
}
