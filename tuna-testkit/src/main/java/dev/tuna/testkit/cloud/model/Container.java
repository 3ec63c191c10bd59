package dev.tuna.testkit.cloud.model;

import dev.tuna.api.BackendPhase;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** One container of an endpoint. Guarded by the model's lock. */
final class Container implements MachineListener {

    private final Site site;
    private final Endpoint endpoint;
    private final MachineSpec spec;
    private final int generation;
    private final Meter meter;
    private final Set<Ticket> running = new LinkedHashSet<>();
    private final boolean failsToBoot;
    private final Future<?> coldStart;
    private BackendPhase phase = BackendPhase.BOOTING;
    private @Nullable Machine machine;
    private @Nullable URI address;
    private @Nullable Future<?> idleTimer;

    Container(
            Site site,
            Endpoint endpoint,
            MachineSpec spec,
            int generation,
            BigDecimal usdPerHour,
            Duration coldStart,
            boolean failsToBoot) {
        this.site = site;
        this.endpoint = endpoint;
        this.spec = spec;
        this.generation = generation;
        this.failsToBoot = failsToBoot;
        this.meter = new Meter(site.now(), usdPerHour);
        this.coldStart = site.after(coldStart, this::startEngine);
    }

    String id() {
        return spec.id();
    }

    int generation() {
        return generation;
    }

    Meter meter() {
        return meter;
    }

    boolean alive() {
        return phase != BackendPhase.DRAINING && phase != BackendPhase.GONE;
    }

    boolean idle() {
        return running.isEmpty();
    }

    int inFlight() {
        return running.size();
    }

    boolean hasRoom(int concurrency) {
        return phase == BackendPhase.READY && running.size() < concurrency;
    }

    private void startEngine() {
        if (phase != BackendPhase.BOOTING) {
            return;
        }
        if (failsToBoot) {
            ended("did not boot, as scripted", OptionalLong.empty());
            return;
        }
        phase = BackendPhase.ENGINE;
        machine = site.start(spec, this);
    }

    @Override
    public void listening(URI where) {
        if (phase == BackendPhase.ENGINE) {
            phase = BackendPhase.READY;
            address = where;
            endpoint.ready(this);
        }
    }

    void take(Ticket ticket) {
        running.add(ticket);
        stayAwake();
        ticket.assign(this, Objects.requireNonNull(address));
    }

    void giveBack(Ticket ticket) {
        running.remove(ticket);
    }

    List<Ticket> running() {
        return List.copyOf(running);
    }

    void idleAfter(Duration window, Runnable task) {
        stayAwake();
        idleTimer = site.after(window, task);
    }

    private void stayAwake() {
        if (idleTimer != null) {
            idleTimer.cancel(false);
        }
    }

    /** Ends in order; without a model server there is nothing to wait for. */
    void stop() {
        if (!alive()) {
            return;
        }
        phase = BackendPhase.DRAINING;
        stayAwake();
        coldStart.cancel(false);
        if (machine == null) {
            ended("stopped", OptionalLong.empty());
        } else {
            machine.stop();
        }
    }

    void lose() {
        if (phase == BackendPhase.GONE) {
            return;
        }
        coldStart.cancel(false);
        if (machine != null) {
            machine.kill();
        }
        ended("lost without notice", OptionalLong.empty());
    }

    @Override
    public void ended(String why, OptionalLong requests) {
        if (phase == BackendPhase.GONE) {
            return;
        }
        BackendPhase last = phase;
        phase = BackendPhase.GONE;
        stayAwake();
        meter.stop(site.now());
        endpoint.ended(this, last, why);
    }

    ContainerView view() {
        return new ContainerView(
                id(),
                phase,
                meter.start(),
                running.size(),
                Optional.ofNullable(address),
                machine == null ? Optional.empty() : Boxed.of(machine.pid()));
    }
}
