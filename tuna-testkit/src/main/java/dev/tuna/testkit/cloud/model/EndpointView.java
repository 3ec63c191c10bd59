package dev.tuna.testkit.cloud.model;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.SecretRef;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * An endpoint at one moment.
 *
 * @param name its name
 * @param owner whose it is
 * @param deployment what it is for
 * @param keyRef where the owner keeps its key; empty if it is public
 * @param createdAt when it was made
 * @param endedAt when it was gone
 * @param phase how far it has come; {@code READY} also when scaled to zero
 * @param detail what it is doing or why it failed
 * @param timeout longest time that a request may take
 * @param containers those that run, hence are billed
 * @param containerTime billed time of all containers so far
 * @param usdPerHour price of one container now; empty if its GPU has none
 * @param usd what the container time cost so far
 * @param requests how many arrived
 * @param completed how many a container was done with
 * @param refused how many were answered by the cloud itself with an error, or cut off by it
 * @param queued how many wait now
 * @param lastRequestAt when the last one arrived
 */
public record EndpointView(
        String name,
        String owner,
        String deployment,
        Optional<SecretRef> keyRef,
        Instant createdAt,
        Optional<Instant> endedAt,
        BackendPhase phase,
        String detail,
        Duration timeout,
        List<ContainerView> containers,
        Duration containerTime,
        Optional<BigDecimal> usdPerHour,
        BigDecimal usd,
        long requests,
        long completed,
        long refused,
        int queued,
        Optional<Instant> lastRequestAt) {

    /** Copies the list. */
    public EndpointView {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(phase, "phase");
        containers = List.copyOf(containers);
    }
}
