package dev.tuna.spi;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.GpuUse;
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
 * @param interruptionAt when the cloud will take it, if it gave notice; some moment that is over, if it took it without one
 *     that was heard. It tells a loss from a replica that broke
 * @param launchedAt when billing began; empty while not placed
 * @param endedAt when billing ended; present with {@code GONE} if the cloud still tells
 * @param usdPerHour price of this machine now; empty if unknown
 * @param rebalanceAt when the cloud recommended to leave this machine, since the risk that it takes it is higher than usual;
 *     empty if it did not, or never does. No promise: the machine may be taken within minutes or not at all, and an
 *     interruption notice may come with it or without it. Once told it stays. On AWS this is the <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html">rebalance recommendation</a>
 * @param gpu what its GPUs do, if it tells
 */
public record ReplicaObservation(
        BackendPhase phase,
        String detail,
        Optional<CapacityPool> pool,
        Optional<BackendAddress> address,
        Optional<Instant> interruptionAt,
        Optional<Instant> launchedAt,
        Optional<Instant> endedAt,
        Optional<BigDecimal> usdPerHour,
        Optional<Instant> rebalanceAt,
        Optional<GpuUse> gpu) {

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
        Objects.requireNonNull(rebalanceAt, "rebalanceAt");
        Objects.requireNonNull(gpu, "gpu");
    }

    /**
     * For clouds that neither recommend to leave a machine nor tell of its GPUs.
     *
     * @param phase how far it has come
     * @param detail what it is doing or why it failed or ended, in a few words; may be empty
     * @param pool the pool it came from, once placed
     * @param address how to reach it
     * @param interruptionAt when the cloud will take it, if it gave notice
     * @param launchedAt when billing began
     * @param endedAt when billing ended
     * @param usdPerHour price of this machine now
     */
    public ReplicaObservation(
            BackendPhase phase,
            String detail,
            Optional<CapacityPool> pool,
            Optional<BackendAddress> address,
            Optional<Instant> interruptionAt,
            Optional<Instant> launchedAt,
            Optional<Instant> endedAt,
            Optional<BigDecimal> usdPerHour) {
        this(
                phase,
                detail,
                pool,
                address,
                interruptionAt,
                launchedAt,
                endedAt,
                usdPerHour,
                Optional.empty(),
                Optional.empty());
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

    /**
     * The same at another price.
     *
     * @param price price of this machine now; empty if unknown
     * @return a copy
     */
    public ReplicaObservation withUsdPerHour(Optional<BigDecimal> price) {
        return new ReplicaObservation(
                phase, detail, pool, address, interruptionAt, launchedAt, endedAt, price, rebalanceAt, gpu);
    }

    /**
     * The same with what the machine tells of itself beside how far it has come.
     *
     * @param recommendedAt when the cloud recommended to leave it, if it did
     * @param use what its GPUs do, if it tells
     * @return a copy
     */
    public ReplicaObservation with(Optional<Instant> recommendedAt, Optional<GpuUse> use) {
        return new ReplicaObservation(
                phase, detail, pool, address, interruptionAt, launchedAt, endedAt, usdPerHour, recommendedAt, use);
    }
}
