package dev.tuna.core.control;

import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.StateSnapshot;
import dev.tuna.spi.StateStore;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** Reads back what an earlier process, or another controller, left of deployments. Thread-safe as its parts are. */
record Recovery(StateStore store, Keyring keyring, Names names, Custodies custodies, Watch watch, Times times) {

    /** Those that are to be looked after here, and those that are being handed over and whose requests are routed here. */
    List<Service> all(StateSnapshot left) {
        return readBack(
                left, name -> !custodies.isElsewhere(name) || custodies.of(name).isHeld(), watch.lastEnd());
    }

    List<Service> one(String name) {
        return readBack(store.load(), name::equals, Optional.empty()); // who had it until now watched it
    }

    private List<Service> readBack(StateSnapshot left, Predicate<String> ours, Optional<Instant> lastEnd) {
        var services = new LinkedHashMap<String, List<Slot>>();
        for (DeploymentRecord record : left.deployments()) {
            if (!ours.test(Records.service(record))) {
                continue;
            }
            Slot slot = readBack(record, left.resources(), lastEnd);
            services.computeIfAbsent(slot.state().name(), name -> new ArrayList<>())
                    .add(slot);
        }
        // Who came back from elsewhere does not take the model of who serves it here.
        List<Service> adopted = services.values().stream()
                .map(Adoption::service)
                .sorted(Comparator.comparing(service -> custodies.hasTravelled(service.name())))
                .toList();
        adopted.forEach(names::adopt);
        return adopted;
    }

    private Slot readBack(DeploymentRecord record, List<ResourceRecord> resources, Optional<Instant> lastEnd) {
        List<ResourceRecord> mine = resources.stream()
                .filter(resource -> resource.deploymentId().equals(record.id())
                        && resource.tier().isPresent())
                .toList();
        Managed managed = Records.adopt(record, mine, this::tally, lastEnd, times.now());
        Keys keys = keyring.of(managed.id(), managed.revision(), managed.request());
        keyring.keep(managed.id(), managed.revision(), keys);
        var slot = new Slot(managed, keys);
        slot.saved = Optional.of(managed);
        slot.savedBackends.putAll(managed.backends());
        return slot;
    }

    /** The books of all revisions go on with the current one. */
    Tally tally(Revision revision) {
        return revision.isCurrent() ? Tally.EMPTY.plus(store.ledger(revision.account())) : Tally.EMPTY;
    }
}
