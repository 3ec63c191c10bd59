package dev.tuna.spi;

import dev.tuna.api.BackendPhase;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * A replica as its cloud sees it now.
 *
 * @param phase how far it has come
 * @param detail what it is doing or why it failed or ended, in a few words; may be empty
 * @param pool the pool it came from, once placed
 * @param address how to reach it; present from {@code READY} on, earlier if known
 * @param interruptionAt when the cloud will take it, if it gave notice
 * @param launchedAt when billing began; empty while not placed
 * @param endedAt when billing ended; present with {@code GONE} if the cloud still tells
 * @param usdPerHour price of this machine now; empty if unknown
 */
public record ReplicaObservation(
        BackendPhase phase,
        String detail,
        Optional<CapacityPool> pool,
        Optional<BackendAddress> address,
        Optional<Instant> interruptionAt,
        Optional<Instant> launchedAt,
        Optional<Instant> endedAt,
        Optional<BigDecimal> usdPerHour) {

    /** Checks that every part is there. */
    public ReplicaObservation {
        Objects.requireNonNull(phase, "phase");
        Objects.requireNonNull(detail, "detail");
        Objects.requireNonNull(pool, "pool");
        Objects.requireNonNull(address, "address");
        Objects.requireNonNull(interruptionAt, "interruptionAt");
        Objects.requireNonNull(launchedAt, "launchedAt");
        Objects.requireNonNull(endedAt, "endedAt");
        Objects.requireNonNull(usdPerHour, "usdPerHour");
    }

    /**
     * Nothing there, and the cloud remembers nothing.
     *
     * @return an observation of a replica that does not exist
     */
    public static ReplicaObservation gone() {
        return new ReplicaObservation(
                BackendPhase.GONE,
                "",
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }
}
