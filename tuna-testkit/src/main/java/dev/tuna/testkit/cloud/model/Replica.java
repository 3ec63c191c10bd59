package dev.tuna.testkit.cloud.model;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Tier;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** One rented machine, billed until it is gone whether its model server works or not. Guarded by the model's lock. */
final class Replica implements MachineListener {

    private final Site site;
    private final SpotMarket market;
    private final Pool pool;
    private final LaunchRequest request;
    private final String id;
    private final Meter meter;
    private final boolean failsToBoot;
    private final Future<?> boot;
    private BackendPhase phase = BackendPhase.BOOTING;
    private String detail = "machine boots";
    private @Nullable Machine machine;
    private @Nullable URI address;
    private @Nullable Instant interruptionAt;
    private @Nullable Future<?> interruption;
    private @Nullable Instant rebalanceAt;
    private @Nullable Instant endedAt;
    private Future<?> orphanCheck;
    private Instant heardAt;
    private OptionalLong requests = OptionalLong.empty();

    Replica(Site site, SpotMarket market, Pool pool, LaunchRequest request) {
        this.site = site;
        this.market = market;
        this.pool = pool;
        this.request = request;
        id = site.nextId("r");
        heardAt = site.now();
        meter = new Meter(heardAt, pool.usdPerHour());
        failsToBoot = pool.nextBootFails();
        boot = site.after(pool.bootDelay(), this::startEngine);
        orphanCheck = site.after(request.orphanTimeout(), this::endIfOrphaned);
    }

    String id() {
        return id;
    }

    LaunchRequest request() {
        return request;
    }

    Pool pool() {
        return pool;
    }

    @Nullable
    Machine machine() {
        return machine;
    }

    Instant endedAt() {
        return Objects.requireNonNull(endedAt);
    }

    void reprice(BigDecimal usdPerHour) {
        meter.reprice(site.now(), usdPerHour);
    }

    void heard() {
        heardAt = site.now();
    }

    void counted(OptionalLong count) {
        if (count.isPresent()) {
            requests = count;
        }
    }

    private void startEngine() {
        if (phase != BackendPhase.BOOTING) {
            return;
        }
        if (failsToBoot) {
            fail("machine did not boot, as scripted");
            return;
        }
        phase = BackendPhase.ENGINE;
        detail = "model server starts";
        machine = site.start(new MachineSpec(id, request.engine(), request.environment()), this);
    }

    @Override
    public void listening(URI where) {
        if (phase == BackendPhase.ENGINE) {
            phase = BackendPhase.READY;
            detail = "";
            address = where;
        }
    }

    @Override
    public void ended(String why, OptionalLong count) {
        counted(count);
        if (phase == BackendPhase.DRAINING) {
            gone(detail);
        } else if (phase != BackendPhase.GONE) {
            fail("model server ended: " + why);
        }
    }

    private void fail(String why) {
        phase = BackendPhase.FAILED;
        detail = why;
        machine = null;
    }

    /** Ends in order; without a model server there is nothing to wait for. */
    void terminate(String why) {
        if (phase == BackendPhase.DRAINING || phase == BackendPhase.GONE) {
            return;
        }
        phase = BackendPhase.DRAINING;
        detail = why;
        boot.cancel(false);
        if (machine == null) {
            gone(why);
        } else {
            machine.stop();
        }
    }

    void recommendRebalance() {
        requireSpot();
        if (rebalanceAt == null) {
            rebalanceAt = site.now();
        }
    }

    private void requireSpot() {
        if (pool.settings().tier() != Tier.SPOT) {
            throw CloudRefusal.conflict(
                    "not_spot", "replica " + id + " is on demand, which is never taken; lose it instead");
        }
    }

    void interrupt(Duration notice) {
        requireSpot();
        if (interruption != null) {
            interruption.cancel(false);
        }
        interruptionAt = site.now().plus(notice);
        interruption = site.after(notice, () -> lose("interrupted"));
    }

    void lose(String why) {
        if (phase == BackendPhase.GONE) {
            return;
        }
        boot.cancel(false);
        if (machine != null) {
            machine.kill();
        }
        gone(why);
    }

    private void gone(String why) {
        phase = BackendPhase.GONE;
        detail = why;
        endedAt = site.now();
        meter.stop(endedAt);
        machine = null;
        orphanCheck.cancel(false);
        if (interruption != null) {
            interruption.cancel(false);
        }
        market.gone(this);
    }

    /** One timer that looks again, rather than one that every observation has to move. */
    private void endIfOrphaned() {
        Instant deadline = heardAt.plus(request.orphanTimeout());
        Duration left = Duration.between(site.now(), deadline);
        if (left.isNegative() || left.isZero()) {
            terminate("heard from no controller for " + request.orphanTimeout());
        } else {
            orphanCheck = site.after(left, this::endIfOrphaned);
        }
    }

    ReplicaView view() {
        Instant now = site.now();
        return new ReplicaView(
                id,
                request.token(),
                request.owner(),
                request.deployment(),
                request.keyRef(),
                pool.settings().id(),
                pool.settings().region(),
                phase,
                detail,
                Optional.ofNullable(address),
                Optional.ofNullable(interruptionAt),
                Optional.ofNullable(rebalanceAt),
                meter.start(),
                Optional.ofNullable(endedAt),
                meter.usdPerHour(),
                meter.time(now),
                meter.usd(now),
                Boxed.of(requests),
                machine == null ? Optional.empty() : Boxed.of(machine.pid()));
    }
}
