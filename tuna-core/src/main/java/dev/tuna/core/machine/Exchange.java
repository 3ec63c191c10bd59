package dev.tuna.core.machine;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.TunaException;
import dev.tuna.core.control.Bundle;
import dev.tuna.core.control.Custody;
import dev.tuna.core.control.Handover;
import dev.tuna.core.control.Turns;
import dev.tuna.core.remote.RemoteControlPlane;
import dev.tuna.spi.ResourceRecord;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps of a handover between this controller and that of a machine, both ways. Each may be repeated, and is, until it is
 * known to have been done. Thread-safe.
 */
final class Exchange {

    /** What follows the id of a handover when the same deployment comes back. */
    static final String BACK = "-back";

    private static final Logger LOG = LoggerFactory.getLogger(Exchange.class);

    private final Handover handover;
    private final Roster roster;
    private final Waits waits;

    /** Why handovers were given up that somebody may wait for. */
    private final Map<String, ConfigurationException> refusals = new ConcurrentHashMap<>();

    private final Set<Confirmed> confirmed = ConcurrentHashMap.newKeySet();
    private final Set<String> kept = ConcurrentHashMap.newKeySet();
    private final Turns turns = new Turns();

    /** That a machine knows of a handover back that it is over; one that had nothing to do with it takes that for granted. */
    private record Confirmed(String vm, String id) {}

    Exchange(Handover handover, Roster roster, Waits waits) {
        this.handover = handover;
        this.roster = roster;
        this.waits = waits;
    }

    /** Whatever is due with a machine that answers. */
    void goOn(RouterVm vm, RemoteControlPlane plane) {
        roster.on(vm.name())
                .filter(custody -> custody.state() == Custody.State.LEAVING)
                .forEach(custody -> turns.ifFree(custody.service(), () -> handOverNow(custody, plane)));
        // Its calls to providers may take long to come to their end, which holds up nobody else.
        roster.on(vm.name())
                .filter(Custody::isBound)
                .forEach(custody ->
                        waits.begin(() -> turns.ifFree(custody.service(), () -> handOverNow(custody, plane))));
        // Also of those who came back from there and were handed over again since then, to this machine or another.
        roster.custodies()
                .forEach(custody -> custody.taken().stream()
                        .map(id -> new Confirmed(vm.name(), id))
                        .filter(back -> back.id().endsWith(BACK) && !confirmed.contains(back))
                        .forEach(back -> confirm(custody.service(), back, plane)));
        roster.on(vm.name())
                .filter(this::isToBeKept)
                .forEach(custody -> turns.ifFree(custody.service(), () -> keep(custody, plane)));
    }

    /** It came back, so the machine may let go. */
    private void confirm(String name, Confirmed back, RemoteControlPlane plane) {
        plane.taken(name, back.id());
        confirmed.add(back);
    }

    /** A process before this one, or an attempt that failed, may have been about to take it back. */
    private void keep(Custody custody, RemoteControlPlane plane) {
        if (roster.custody(custody.service()).filter(this::isToBeKept).isPresent()) {
            plane.keep(custody.service(), custody.handover() + BACK);
            kept.add(custody.handover());
        }
    }

    /** What is to be handed over to a machine that cannot be had stays here. */
    void reconsider() {
        roster.custodies().stream()
                .filter(Custody::isBound)
                .forEach(custody -> turns.ifFree(custody.service(), () -> reconsider(custody)));
    }

    private void reconsider(Custody custody) {
        try {
            whyNotThere(custody.with()).ifPresent(why -> withdraw(custody, ErrorCode.PREFLIGHT_FAILED, why));
        } catch (RuntimeException e) {
            LOG.warn("{} is to be handed over, and it could not be stored that it is not", custody.service(), e);
        }
    }

    private Optional<String> whyNotThere(String vm) {
        Optional<RouterVm> there = roster.named(vm);
        if (there.filter(known -> known.record().state() != ResourceRecord.State.ENDING)
                .isEmpty()) {
            return Optional.of("router VM '" + vm + "' is gone");
        }
        return there.filter(known -> known.phase() == BackendPhase.FAILED)
                .map(failed -> "router VM '" + vm + "' does not come up: " + failed.problem());
    }

    private void withdraw(Custody custody, ErrorCode code, String why) {
        refusals.put(custody.handover(), refusal(custody.service(), code, why));
        if (!handover.withdraw(custody.service(), custody.handover(), why)) {
            refusals.remove(custody.handover());
        }
    }

    private static ConfigurationException refusal(String name, ErrorCode code, String why) {
        return new ConfigurationException(code, "deployment '" + name + "' is looked after here further: " + why);
    }

    /** Why it stays here. */
    ConfigurationException refusal(String name, String id, String vm) {
        return Optional.ofNullable(refusals.remove(id))
                .orElseGet(() -> new ConfigurationException(
                        ErrorCode.NAME_TAKEN, "router VM '" + vm + "' did not take deployment '" + name + "'"));
    }

    private void handOverNow(Custody custody, RemoteControlPlane plane) {
        try {
            handOver(custody, plane);
        } catch (TunaException e) {
            LOG.info("{} could not be handed over: {}", custody.service(), e.getMessage());
        } catch (RuntimeException e) {
            LOG.warn("{} could not be handed over", custody.service(), e);
        }
    }

    private void handOver(Custody custody, RemoteControlPlane plane) {
        String name = custody.service();
        Optional<Bundle> bundle = depart(custody);
        if (bundle.isEmpty() || !handover.offered(name, custody.handover())) {
            return;
        }
        try {
            plane.offer(bundle.get());
        } catch (ConfigurationException e) {
            if (e.code() != ErrorCode.NAME_TAKEN) {
                throw e;
            }
            String why = "router VM '" + custody.with() + "' does not take it: " + e.getMessage();
            refusals.put(custody.handover(), refusal(name, ErrorCode.NAME_TAKEN, why));
            handover.stay(name, custody.handover(), why);
            return;
        }
        roster.named(custody.with()).ifPresent(vm -> vm.residents().given(name));
        handover.left(name, custody.handover(), false);
        LOG.info("{} is looked after by router VM '{}'", name, custody.with());
    }

    /** What cannot leave stays, unless it is this process that ends: then the next one goes on. */
    private Optional<Bundle> depart(Custody custody) {
        try {
            return handover.depart(custody.service(), custody.handover());
        } catch (TunaException e) {
            if (!Thread.currentThread().isInterrupted()) {
                withdraw(custody, e.code(), String.valueOf(e.getMessage()));
            }
            throw e;
        }
    }

    private boolean isToBeKept(Custody custody) {
        return custody.state() == Custody.State.AWAY && !kept.contains(custody.handover());
    }

    /** What is over there is put down here, with its bill. */
    void collect(RouterVm vm, RemoteControlPlane plane, Set<String> live) {
        roster.on(vm.name())
                .filter(custody -> custody.state() == Custody.State.AWAY && !live.contains(custody.service()))
                .filter(custody -> isOver(plane, custody.service()))
                .forEach(custody -> turns.ifFree(custody.service(), () -> fetchNow(custody.service())));
    }

    private static boolean isOver(RemoteControlPlane plane, String name) {
        DeploymentPhase phase = plane.status(name).phase();
        return phase == DeploymentPhase.DESTROYED || phase == DeploymentPhase.FAILED;
    }

    /** One at a time: whoever comes second finds it here. */
    void fetch(String name) {
        turns.alone(name, () -> {
            fetchNow(name);
            return name;
        });
    }

    private void fetchNow(String name) {
        Optional<Custody> away = roster.custody(name).filter(custody -> custody.state() == Custody.State.AWAY);
        if (away.isEmpty()) {
            return;
        }
        RemoteControlPlane plane = roster.plane(name).orElseThrow(() -> Roster.notThere(name));
        String id = away.get().handover() + BACK;
        try {
            handover.arrive(plane.take(name, id).join(), away.get().with());
        } catch (RuntimeException e) {
            kept.remove(away.get().handover()); // the machine is to go on with it
            throw e;
        }
        confirm(name, new Confirmed(away.get().with(), id), plane);
    }
}
