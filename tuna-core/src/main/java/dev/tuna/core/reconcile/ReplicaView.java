package dev.tuna.core.reconcile;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Tier;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A replica as the reconciler sees it.
 *
 * @param id its name inside the deployment
 * @param tier spot or on demand
 * @param stage how far it has come
 * @param detail what it is doing or what is wrong with it, in a few words; may be empty
 * @param reached the furthest that it has come, as far as its cloud tells
 * @param askedAt when it was asked for
 * @param doomed whether its cloud has said that it will take it
 * @param leavable whether another one should take its place since its cloud recommends to leave it
 * @param drainUntil until when it may go on with what it has; present while it drains
 * @param inFlight requests that it works on
 * @param microUsdPerHour its price; empty if unknown
 */
public record ReplicaView(
        String id,
        Tier tier,
        Stage stage,
        String detail,
        BackendPhase reached,
        Instant askedAt,
        boolean doomed,
        boolean leavable,
        Optional<Instant> drainUntil,
        int inFlight,
        OptionalLong microUsdPerHour) {

    /** Checks that every part is there. */
    public ReplicaView {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(tier, "tier");
        Objects.requireNonNull(stage, "stage");
        Objects.requireNonNull(detail, "detail");
        Objects.requireNonNull(reached, "reached");
        Objects.requireNonNull(askedAt, "askedAt");
        Objects.requireNonNull(drainUntil, "drainUntil");
        Objects.requireNonNull(microUsdPerHour, "microUsdPerHour");
    }

    /** How far a replica has come. */
    public enum Stage {
        /** Asked for or on its way; has not served yet. */
        BOOTING,
        /** Serves. */
        READY,
        /** Finishes what it has. */
        DRAINING,
        /** Cannot serve and has to go. */
        BROKEN,
        /** Is being terminated; the cloud has not confirmed it. */
        ENDING
    }

    boolean counts() {
        return (stage == Stage.BOOTING || stage == Stage.READY) && !doomed;
    }
}
