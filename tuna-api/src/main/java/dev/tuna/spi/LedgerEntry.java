package dev.tuna.spi;

import dev.tuna.api.Tier;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.OptionalLong;

/**
 * Machine time and what it costs; written once, never changed.
 *
 * @param deploymentId {@link DeploymentRecord#id()}
 * @param tier what kind of machine
 * @param provider who bills it
 * @param backend which serverless endpoint or replica
 * @param from start of the span
 * @param to end of the span
 * @param billed billed time within the span; for several containers their sum
 * @param microUsdPerHour price in millionths of a US dollar per hour; empty if unknown
 * @param microUsd cost of this entry in millionths of a US dollar; empty if the price is unknown
 * @param estimated whether the time is reckoned rather than metered by the provider
 */
public record LedgerEntry(
        String deploymentId,
        Tier tier,
        String provider,
        String backend,
        Instant from,
        Instant to,
        Duration billed,
        OptionalLong microUsdPerHour,
        OptionalLong microUsd,
        boolean estimated) {

    /** Checks that every part is there and time runs forward. */
    public LedgerEntry {
        Objects.requireNonNull(deploymentId, "deploymentId");
        Objects.requireNonNull(tier, "tier");
        Objects.requireNonNull(provider, "provider");
        Objects.requireNonNull(backend, "backend");
        Objects.requireNonNull(billed, "billed");
        Objects.requireNonNull(microUsdPerHour, "microUsdPerHour");
        Objects.requireNonNull(microUsd, "microUsd");
        if (to.isBefore(from) || billed.isNegative()) {
            throw new IllegalArgumentException(
                    "ledger entry of " + backend + " runs backwards: " + from + " to " + to + ", billed " + billed);
        }
    }
}
