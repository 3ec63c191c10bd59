package dev.tuna.core.control;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.ErrorCode;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Takes in new deployments and new revisions of them: all of one is on disk before anything is done for it. Thread-safe. */
record Intake(ControlLoop loop, Names names, Keyring keyring, StateStore store, Custodies custodies, Times times) {

    /** When this returns it is on disk, and its endpoint answers. */
    Service accept(DeployRequest request, Optional<String> cloud) {
        loop.requireOpen();
        return names.alone(() -> {
            Now now = times.now();
            Slot slot = fresh(request, cloud, now);
            requireHere(slot.state().name());
            var service = new Service(slot, Optional.empty(), List.of());
            loop.payRent(); // those who are here until now, without the one who comes
            names.take(service);
            try {
                keep(slot, now);
            } catch (RuntimeException e) {
                names.release(service);
                throw e;
            }
            loop.tell(slot.state(), DeploymentEvent.Kind.ACCEPTED, "accepted; the endpoint answers");
            loop.open(service);
            loop.post(service, slot, new Message.Tick());
            return service;
        });
    }

    /** When this returns it is on disk, on its way to another controller. */
    Custody acceptFor(
            DeployRequest request, Optional<String> cloud, String id, String to, List<ResourceRecord> beside) {
        loop.requireOpen();
        return names.alone(() -> {
            Now now = times.now();
            Slot slot = fresh(request, cloud, now);
            String name = slot.state().name();
            requireHere(name);
            if (names.find(name).isPresent()) {
                throw new ConfigurationException(
                        ErrorCode.NAME_TAKEN,
                        "a deployment named '" + name + "' is live already; hand it over, destroy it first, or choose"
                                + " another serviceName");
            }
            keyring.keep(slot.state().id(), slot.state().revision(), slot.keys());
            Custody leaving = Custody.acceptedFor(name, id, to);
            var resources = new ArrayList<>(beside);
            resources.add(leaving.record(now.wall()));
            store.save(new StateChange(List.of(Records.deployment(slot.state(), now.wall())), resources, List.of()));
            loop.tell(slot.state(), DeploymentEvent.Kind.ACCEPTED, "accepted, for router VM '" + to + "'");
            return leaving;
        });
    }

    private Slot fresh(DeployRequest request, Optional<String> cloud, Now now) {
        String name = request.serviceName().orElseThrow();
        String id = keyring.id(name);
        var revision = Revision.first(id, name, now);
        int target = Fleet.firstTarget(request.effectiveScaling().spot());
        return new Slot(
                Managed.fresh(id, revision, request, now.wall(), cloud, target, now),
                keyring.of(id, revision, request));
    }

    private void requireHere(String name) {
        if (custodies.isElsewhere(name)) {
            throw new ConfigurationException(
                    ErrorCode.NAME_TAKEN,
                    "a deployment named '" + name + "' is live already, on a router VM; destroy it first, or choose"
                            + " another serviceName");
        }
    }

    /** Has a new revision and its keys on disk when it returns, or nothing. */
    void keep(Slot slot, Now now) {
        Managed managed = slot.state();
        store.save(StateChange.of(Records.deployment(managed, now.wall())));
        slot.saved = Optional.of(managed);
        try {
            keyring.keep(managed.id(), managed.revision(), slot.keys());
        } catch (RuntimeException e) {
            withdraw(slot, now);
            throw e;
        }
    }

    /** What was stored is not to be after all. */
    void withdraw(Slot slot, Now now) {
        Managed failed = slot.state().with(draft -> draft.phase = DeploymentPhase.FAILED);
        store.save(StateChange.of(Records.deployment(failed, now.wall())));
    }
}
