package dev.tuna.testkit.cloud.model;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.SecretRef;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * A replica at one moment.
 *
 * @param id the cloud's name for it
 * @param token with which it was launched
 * @param owner whose it is
 * @param deployment what it is for
 * @param keyRef where the owner keeps the model server's key; empty if it has none
 * @param pool id of the pool it came from
 * @param region the pool's region
 * @param phase how far it has come
 * @param detail what it is doing, why it failed or why it ended
 * @param address where its model server listens; present from {@code READY} on
 * @param interruptionAt when it will be taken, if notice was given
 * @param rebalanceAt when it was recommended to leave it, if that was
 * @param launchedAt when billing began
 * @param endedAt when billing ended
 * @param usdPerHour price of its machine now, or at the end
 * @param billed billed time so far
 * @param usd what that cost, at the prices of the time
 * @param requests requests for the model that it has had, if known; not current outside a {@link CloudSnapshot}
 * @param pid its process, if it is one
 */
public record ReplicaView(
        String id,
        String token,
        String owner,
        String deployment,
        Optional<SecretRef> keyRef,
        String pool,
        String region,
        BackendPhase phase,
        String detail,
        Optional<URI> address,
        Optional<Instant> interruptionAt,
        Optional<Instant> rebalanceAt,
        Instant launchedAt,
        Optional<Instant> endedAt,
        BigDecimal usdPerHour,
        Duration billed,
        BigDecimal usd,
        Optional<Long> requests,
        Optional<Long> pid) {

    /** Checks that the parts that identify it are there. */
    public ReplicaView {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(pool, "pool");
        Objects.requireNonNull(phase, "phase");
        Objects.requireNonNull(launchedAt, "launchedAt");
    }
}
