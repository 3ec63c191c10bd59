package dev.tuna.core.control;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * The machine that a controller runs on, where that is rented for nothing else: its price is shared by the deployments that
 * are looked after there, in equal parts.
 *
 * @param provider who bills it
 * @param name its name, which bills show as the backend
 * @param usdPerHour with its disk and address, until a host tells what it sees; empty if unknown
 * @param since when billing began
 */
public record HostMachine(String provider, String name, Optional<BigDecimal> usdPerHour, Instant since) {

    /** Checks that every part is there. */
    public HostMachine {
        Objects.requireNonNull(provider, "provider");
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(usdPerHour, "usdPerHour");
        Objects.requireNonNull(since, "since");
    }

    HostMachine costing(BigDecimal usd) {
        return new HostMachine(provider, name, Optional.of(usd), since);
    }

    boolean costs(BigDecimal usd) {
        return usdPerHour.filter(known -> known.compareTo(usd) == 0).isPresent();
    }
}
