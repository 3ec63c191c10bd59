package dev.tuna.core.control;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.GpuUse;
import dev.tuna.api.Tier;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.ResourceRecord.State;
import dev.tuna.spi.ResourceRef;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * A serverless endpoint or a replica, from the intent to make it until its cloud confirms that it is gone. Immutable.
 *
 * @param id its name inside the deployment
 * @param tier what kind of machine
 * @param provider who runs it
 * @param plan what its cloud is sent, as stored
 * @param askedAt when the intent was made
 * @param askedSteady the same in steady time
 * @param state how sure we are of it
 * @param sent whether the plan may have reached its cloud
 * @param ref its cloud's name for it, once known
 * @param phase how far it has come, as its cloud says
 * @param detail what it is doing, or why it failed or goes, in a few words
 * @param failed whether it goes because it failed
 * @param address how to reach it, as its cloud says
 * @param pool where it runs, once placed
 * @param readyAt when it passed its first readiness request, in steady time; empty while it has not
 * @param suspect readiness requests that failed in a row after it had been ready; 0 when all is well
 * @param check whether it has to pass another readiness request, since requests failed
 * @param drainUntil until when it may go on with what it has, in steady time; present while it drains
 * @param interruptionAt when its cloud will take it, if it said so
 * @param rebalanceAt when its cloud recommended to leave it, if it did
 * @param relocated whether it was asked for to take the place of one that was to be left
 * @param gpu what its GPUs do, if it tells
 * @param containers containers that run, if its cloud tells
 * @param meter what bills it, from the first moment that its cloud bills
 * @param call a begin, launch, readiness request or end under way
 * @param retry when the next call may be made
 */
record Backend(
        String id,
        Tier tier,
        String provider,
        String plan,
        Instant askedAt,
        Instant askedSteady,
        State state,
        boolean sent,
        Optional<ResourceRef> ref,
        BackendPhase phase,
        String detail,
        boolean failed,
        Optional<BackendAddress> address,
        Optional<CapacityPool> pool,
        Optional<Instant> readyAt,
        int suspect,
        boolean check,
        Optional<Instant> drainUntil,
        Optional<Instant> interruptionAt,
        Optional<Instant> rebalanceAt,
        boolean relocated,
        Optional<GpuUse> gpu,
        OptionalInt containers,
        Optional<Meter> meter,
        Optional<Call> call,
        Retry retry) {

    static Backend intended(String id, Tier tier, String provider, String plan, Now now) {
        return new Backend(
                id,
                tier,
                provider,
                plan,
                now.wall(),
                now.steady(),
                State.INTENDED,
                false,
                Optional.empty(),
                BackendPhase.REQUESTED,
                "",
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                0,
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                false,
                Optional.empty(),
                OptionalInt.empty(),
                Optional.empty(),
                Optional.empty(),
                Retry.NONE);
    }

    boolean isServerless() {
        return tier == Tier.SERVERLESS;
    }

    boolean isGone() {
        return state == State.GONE;
    }

    boolean isDraining() {
        return drainUntil.isPresent();
    }

    /** Whether its cloud may still run it and it is not on its way out. */
    boolean isWanted() {
        return (state == State.INTENDED || state == State.LIVE) && !isDraining();
    }

    /** Whether it counts against the most machines that there may be: what its cloud takes makes room for its successor. */
    boolean takesRoom() {
        return !isGone() && interruptionAt.isEmpty();
    }

    /** Whether it takes new requests. */
    boolean serves() {
        return state == State.LIVE && isReady() && address.isPresent() && !isDraining();
    }

    /** Whether it was up for an earlier process, and this one does not know yet where. */
    boolean isUnseen() {
        return state == State.LIVE && phase == BackendPhase.READY && address.isEmpty();
    }

    boolean isReady() {
        return phase == BackendPhase.READY && readyAt.isPresent();
    }

    /**
     * Whether it may be left since its cloud recommends that. What took another's place for that reason is not left for a
     * while: where every pool is at risk, to move on and on would cost a boot each time and gain nothing.
     */
    boolean isLeavable(Instant steady) {
        return rebalanceAt.isPresent()
                && interruptionAt.isEmpty()
                && !(relocated && askedSteady.plus(RELOCATION_PAUSE).isAfter(steady));
    }

    /** An hour, so that a fleet spends no more than a twelfth of its time on booting successors of five minutes' boot. */
    static final Duration RELOCATION_PAUSE = Duration.ofHours(1);

    /** Whether the two differ in nothing but what leads to no decision: their meters and what their GPUs do. */
    @SuppressWarnings("ReferenceEquality") // a shortcut: what was not changed is the same object
    boolean standsAs(Backend other) {
        return this == other
                || with(draft -> {
                            draft.meter = other.meter;
                            draft.gpu = other.gpu;
                        })
                        .equals(other);
    }

    Backend with(Consumer<Draft> change) {
        var draft = new Draft(this);
        change.accept(draft);
        Backend after = draft.build();
        return after.equals(this) ? this : after;
    }

    /** The parts that change, while they are being changed. Confined to one call of {@link #with}. */
    static final class Draft {
        private final Backend before;
        State state;
        boolean sent;
        Optional<ResourceRef> ref;
        BackendPhase phase;
        String detail;
        boolean failed;
        Optional<BackendAddress> address;
        Optional<CapacityPool> pool;
        Optional<Instant> readyAt;
        int suspect;
        boolean check;
        Optional<Instant> drainUntil;
        Optional<Instant> interruptionAt;
        Optional<Instant> rebalanceAt;
        boolean relocated;
        Optional<GpuUse> gpu;
        OptionalInt containers;
        Optional<Meter> meter;
        Optional<Call> call;
        Retry retry;

        private Draft(Backend before) {
            this.before = before;
            state = before.state;
            sent = before.sent;
            ref = before.ref;
            phase = before.phase;
            detail = before.detail;
            failed = before.failed;
            address = before.address;
            pool = before.pool;
            readyAt = before.readyAt;
            suspect = before.suspect;
            check = before.check;
            drainUntil = before.drainUntil;
            interruptionAt = before.interruptionAt;
            rebalanceAt = before.rebalanceAt;
            relocated = before.relocated;
            gpu = before.gpu;
            containers = before.containers;
            meter = before.meter;
            call = before.call;
            retry = before.retry;
        }

        /** Begins another stage of its life, in which the failures of the one before do not count. */
        void enter(State next) {
            state = next;
            call = Optional.empty();
            retry = Retry.NONE;
        }

        private Backend build() {
            return new Backend(
                    before.id,
                    before.tier,
                    before.provider,
                    before.plan,
                    before.askedAt,
                    before.askedSteady,
                    state,
                    sent,
                    ref,
                    phase,
                    detail,
                    failed,
                    address,
                    pool,
                    readyAt,
                    suspect,
                    check,
                    drainUntil,
                    interruptionAt,
                    rebalanceAt,
                    relocated,
                    gpu,
                    containers,
                    meter,
                    call,
                    retry);
        }
    }
}
