package dev.tuna.core.control;

import dev.tuna.api.Tier;
import dev.tuna.spi.ResourceRecord;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Puts together what an earlier process left under one name. Pure. */
final class Adoption {

    private Adoption() {}

    /**
     * Of several successors the newest is meant: the crash came before the older one was given up. Should no revision be
     * the current one, the newest is, so that what is left can be seen and destroyed.
     */
    static Service service(List<Slot> revisions) {
        List<Slot> newestFirst = revisions.stream()
                .sorted(Comparator.comparing(
                        (Slot slot) -> slot.state().revision().number(), Comparator.reverseOrder()))
                .toList();
        Slot current = with(newestFirst, Revision.Role.CURRENT).orElse(newestFirst.get(0));
        Optional<Slot> successor = with(newestFirst, Revision.Role.SUCCESSOR).filter(slot -> slot != current);
        List<Slot> former = newestFirst.stream()
                .filter(slot -> slot != current && !successor.equals(Optional.of(slot)))
                .toList();
        become(current, Revision.Role.CURRENT);
        former.forEach(slot -> become(slot, Revision.Role.FORMER));
        return new Service(current, successor, former);
    }

    private static Optional<Slot> with(List<Slot> slots, Revision.Role role) {
        return slots.stream()
                .filter(slot -> slot.state().revision().role() == role)
                .findFirst();
    }

    private static void become(Slot slot, Revision.Role role) {
        slot.swap(slot.state().with(draft -> draft.revision = draft.revision.as(role)));
    }

    /** What goes on after a start, in one sentence. */
    static String report(Service service) {
        var parts = new ArrayList<String>();
        Managed current = service.current().state();
        List<Backend> all = service.slots().stream()
                .flatMap(slot -> slot.state().present().stream())
                .toList();
        parts.add("looked after again, with " + all.size() + " backends of an earlier process");
        name(all, ResourceRecord.State.LIVE).ifPresent(ids -> parts.add("kept: " + ids));
        name(all, ResourceRecord.State.INTENDED)
                .ifPresent(ids -> parts.add("asked for once more, since nobody knows whether they were made: " + ids));
        name(all, ResourceRecord.State.ENDING).ifPresent(ids -> parts.add("still being removed: " + ids));
        if (current.goal() != Goal.SERVE) {
            parts.add("its tearing down goes on");
        }
        service.successor()
                .ifPresent(slot -> parts.add(
                        "the roll to revision " + slot.state().revision().number() + " goes on"));
        service.former()
                .forEach(slot -> parts.add(
                        "the removal of revision " + slot.state().revision().number() + " goes on"));
        return String.join("; ", parts);
    }

    private static Optional<String> name(List<Backend> backends, ResourceRecord.State state) {
        String ids = backends.stream()
                .filter(backend -> backend.state() == state)
                .map(Backend::id)
                .collect(Collectors.joining(", "));
        return ids.isEmpty() ? Optional.empty() : Optional.of(ids);
    }

    /** Why something that runs cannot be one of a deployment's backends. */
    static Optional<String> misfit(Managed managed, Stray stray) {
        String provider = stray.resource().provider();
        if (managed.goal() != Goal.SERVE) {
            return Optional.of("it is being torn down");
        }
        if (managed.present().stream().anyMatch(backend -> backend.ref().equals(Optional.of(stray.resource())))) {
            return Optional.of("it is one of its backends already");
        }
        if (stray.tier() == Tier.SERVERLESS) {
            return managed.endpoints()
                            .anyMatch(endpoint ->
                                    !endpoint.isGone() && endpoint.provider().equals(provider))
                    ? Optional.of("it has an endpoint at " + provider + " already")
                    : Optional.empty();
        }
        if (!managed.fleet().cloud().equals(Optional.of(provider))) {
            return Optional.of("it rents no replicas from " + provider);
        }
        int machines = managed.replicas(replica -> !replica.isGone());
        int most = managed.scaling().spot().maxReplicas();
        return machines >= most
                ? Optional.of("it has " + machines + " replicas, and max_replicas is " + most)
                : Optional.empty();
    }
}
