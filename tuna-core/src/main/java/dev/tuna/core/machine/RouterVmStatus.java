package dev.tuna.core.machine;

import dev.tuna.api.BackendPhase;
import java.math.BigDecimal;
import java.net.URI;
import java.util.List;
import java.util.Optional;

/**
 * A router VM as this installation knows it.
 *
 * @param name its name
 * @param provider whose machine it is
 * @param machine its id there; empty until it was launched
 * @param phase how far it has come
 * @param detail what it is doing, or what is wrong; may be empty
 * @param endpoint where clients connect, once known
 * @param deployments that were handed over to it by this installation, those on their way included
 * @param usdPerHour what it costs; empty if unknown
 */
public record RouterVmStatus(
        String name,
        String provider,
        Optional<String> machine,
        BackendPhase phase,
        String detail,
        Optional<URI> endpoint,
        List<String> deployments,
        Optional<BigDecimal> usdPerHour) {

    /** Copies the list. */
    public RouterVmStatus {
        deployments = List.copyOf(deployments);
    }
}
