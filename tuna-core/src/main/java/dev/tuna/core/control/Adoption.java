package dev.tuna.core.control;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;

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
}
