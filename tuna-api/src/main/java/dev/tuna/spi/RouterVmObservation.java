package dev.tuna.spi;

import dev.tuna.api.BackendPhase;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * A router's machine as its cloud and its agent see it now.
 *
 * @param phase {@code REQUESTED}, {@code BOOTING} (starts, fetches the jar), {@code ENGINE} (the program starts),
 *     {@code READY} (its control endpoint answers), {@code FAILED} or {@code GONE}
 * @param detail what it is doing or why it failed or ended; may be empty
 * @param control how its control endpoint is reached, TLS and credential included; present from {@code READY} on
 * @param endpoint where clients connect, without path; present once the machine has an address
 * @param launchedAt when billing began; empty while not placed
 * @param endedAt when billing ended; present with {@code GONE} if the cloud still tells
 * @param usdPerHour what it costs; empty if unknown
 */
public record RouterVmObservation(
        BackendPhase phase,
        String detail,
        Optional<BackendAddress> control,
        Optional<URI> endpoint,
        Optional<Instant> launchedAt,
        Optional<Instant> endedAt,
        Optional<BigDecimal> usdPerHour) {

    /** Checks that every part is there. */
    public RouterVmObservation {
        Objects.requireNonNull(phase, "phase");
        Objects.requireNonNull(detail, "detail");
        Objects.requireNonNull(control, "control");
        Objects.requireNonNull(endpoint, "endpoint");
        Objects.requireNonNull(launchedAt, "launchedAt");
        Objects.requireNonNull(endedAt, "endedAt");
        Objects.requireNonNull(usdPerHour, "usdPerHour");
    }

    /**
     * Nothing there, and the cloud remembers nothing.
     *
     * @return an observation of a machine that does not exist
     */
    public static RouterVmObservation gone() {
        return new RouterVmObservation(
                BackendPhase.GONE,
                "",
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }
}
