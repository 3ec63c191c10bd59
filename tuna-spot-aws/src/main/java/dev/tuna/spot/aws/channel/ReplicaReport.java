package dev.tuna.spot.aws.channel;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What a replica's agent says. Immutable.
 *
 * @param phase how far it has come
 * @param detail what it is doing or what went wrong, for people; may be empty, holds no secret
 * @param draining why it takes no new requests; empty if it does
 * @param inFlight requests that it is answering
 * @param interruption the cloud's notice, if there is one
 * @param rebalanceAt when the cloud recommended to leave the machine, if it did
 * @param gpus its GPUs as the driver sees them; empty until it has been asked
 * @param sinceContact how long before this no controller had spoken to it
 * @param uptime since it booted
 */
public record ReplicaReport(
        Phase phase,
        String detail,
        String draining,
        int inFlight,
        Optional<Interruption> interruption,
        Optional<Instant> rebalanceAt,
        List<Gpu> gpus,
        Duration sinceContact,
        Duration uptime) {

    /** Copies the list. */
    public ReplicaReport {
        Objects.requireNonNull(phase, "phase");
        Objects.requireNonNull(detail, "detail");
        Objects.requireNonNull(draining, "draining");
        Objects.requireNonNull(interruption, "interruption");
        Objects.requireNonNull(rebalanceAt, "rebalanceAt");
        gpus = List.copyOf(gpus);
        Objects.requireNonNull(sinceContact, "sinceContact");
        Objects.requireNonNull(uptime, "uptime");
    }

    /** How far a replica has come. */
    public enum Phase {
        /** Its own software runs. */
        BOOTED,
        /** It fetches the image, or waits for the keys that the controller brings. */
        IMAGE,
        /** Weights are fetched and loaded. */
        WEIGHTS,
        /** The engine compiles and warms up, or does not answer any more. */
        ENGINE,
        /** The engine answers its health check. */
        READY,
        /** It will not come up without help. */
        FAILED
    }

    /**
     * The cloud's notice.
     *
     * @param action what it will do: {@code terminate}, {@code stop} or {@code hibernate}
     * @param at when
     */
    public record Interruption(String action, Instant at) {}

    /**
     * One GPU.
     *
     * @param utilization share of the time in which it computed lately, 0 to 100
     * @param usedMib memory in use, MiB
     * @param totalMib memory, MiB
     */
    public record Gpu(int utilization, int usedMib, int totalMib) {}
}
