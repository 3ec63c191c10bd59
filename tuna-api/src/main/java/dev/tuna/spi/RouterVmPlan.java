package dev.tuna.spi;

import java.math.BigDecimal;
import java.util.Objects;
import java.util.Optional;

/**
 * Exactly what a cloud would be sent for a router's machine. Text throughout, so that it can be stored, shown and sent again
 * after a crash.
 *
 * @param name the machine's name
 * @param token idempotency token: launching twice with one token makes one machine
 * @param summary one sentence for a person
 * @param machine its type, as the cloud calls it
 * @param region where it would be
 * @param usdPerHour list price of the machine with its disk and address; empty if unknown
 * @param body everything the plugin needs, in a form of its own; no secrets
 */
public record RouterVmPlan(
        String name,
        String token,
        String summary,
        String machine,
        String region,
        Optional<BigDecimal> usdPerHour,
        String body) {

    /** Checks that every part is there. */
    public RouterVmPlan {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(token, "token");
        Objects.requireNonNull(summary, "summary");
        Objects.requireNonNull(machine, "machine");
        Objects.requireNonNull(region, "region");
        Objects.requireNonNull(usdPerHour, "usdPerHour");
        Objects.requireNonNull(body, "body");
    }
}
