package dev.tuna.core.control;

import dev.tuna.api.Tier;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.ResourceRef;
import java.time.Instant;
import java.util.Optional;

/**
 * Something that runs outside and is to belong to a deployment.
 *
 * @param resource its provider's name for it
 * @param tier what kind of machine
 * @param pool where it runs, if it is a replica
 * @param since when it was made, and is billed from
 */
public record Stray(ResourceRef resource, Tier tier, Optional<CapacityPool> pool, Instant since) {}
