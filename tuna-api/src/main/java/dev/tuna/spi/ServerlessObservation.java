package dev.tuna.spi;

import dev.tuna.api.BackendPhase;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A serverless endpoint as its cloud sees it now.
 *
 * @param phase how far it has come; {@code READY} also when scaled to zero
 * @param detail what it is doing or why it failed, in a few words; may be empty
 * @param address how to reach it; present from {@code READY} on, earlier if known. A credential that ends after a while is
 *     renewed here: the router sends the one that the latest observation has, and nothing is tried anew for that
 * @param containers containers or workers that run (and are billed) now; empty if the cloud does not tell
 * @param containerTime billed container time since the endpoint was made; never decreases; empty if not metered
 * @param usdPerHour price of one container now; empty if unknown
 */
public record ServerlessObservation(
        BackendPhase phase,
        String detail,
        Optional<BackendAddress> address,
        OptionalInt containers,
        Optional<Duration> containerTime,
        Optional<BigDecimal> usdPerHour) {

    /** Checks that every part is there. */
    public ServerlessObservation {
        Objects.requireNonNull(phase, "phase");
        Objects.requireNonNull(detail, "detail");
        Objects.requireNonNull(address, "address");
        Objects.requireNonNull(containers, "containers");
        Objects.requireNonNull(containerTime, "containerTime");
        Objects.requireNonNull(usdPerHour, "usdPerHour");
    }

    /**
     * Nothing there.
     *
     * @param containerTime the final meter reading, if the cloud keeps it
     * @return an observation of a resource that does not exist
     */
    public static ServerlessObservation gone(Optional<Duration> containerTime) {
        return new ServerlessObservation(
                BackendPhase.GONE, "", Optional.empty(), OptionalInt.empty(), containerTime, Optional.empty());
    }
}
