package dev.tuna.core.ledger;

import dev.tuna.api.Tier;
import dev.tuna.spi.LedgerEntry;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.OptionalLong;

/**
 * Who is billed for what: the key of a line on the bill.
 *
 * @param deploymentId {@link dev.tuna.spi.DeploymentRecord#id()}
 * @param tier what kind of machine
 * @param provider who bills it
 * @param backend which serverless endpoint or replica
 */
public record BilledBackend(String deploymentId, Tier tier, String provider, String backend) {

    /** Checks that every part is there. */
    public BilledBackend {
        Objects.requireNonNull(deploymentId, "deploymentId");
        Objects.requireNonNull(tier, "tier");
        Objects.requireNonNull(provider, "provider");
        Objects.requireNonNull(backend, "backend");
    }

    static BilledBackend of(LedgerEntry entry) {
        return new BilledBackend(entry.deploymentId(), entry.tier(), entry.provider(), entry.backend());
    }

    LedgerEntry entry(Instant from, Instant to, Duration billed, OptionalLong microUsdPerHour, boolean estimated) {
        return new LedgerEntry(
                deploymentId,
                tier,
                provider,
                backend,
                from,
                to,
                billed,
                microUsdPerHour,
                Money.cost(billed, microUsdPerHour),
                estimated);
    }
}
