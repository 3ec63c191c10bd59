package dev.tuna.core.reconcile;

import dev.tuna.api.Tier;
import dev.tuna.core.reconcile.ReplicaView.Stage;
import dev.tuna.core.text.DurationText;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * Compares the fleet that should be with the fleet that is.
 *
 * <p>What is broken or has outrun its boot deadline is terminated, what its cloud will take is drained and replaced, what
 * has drained is terminated. Too few replicas are topped up, but never beyond the maximum, which counts every machine that
 * may still run but those that their cloud will take: they are gone within minutes whatever is done, and to wait for that
 * would leave a fleet of one without a replica for a whole boot.
 *
 * <p>What its cloud merely recommends to leave serves on until a successor serves, and for good if there is none to be had.
 * For successors there may be one machine more than the maximum, so that a full fleet changes place one by one; so for spot that
 * takes the place of a machine at list price. Of too many, ready ones are drained: first those to be left, then the dearest, and
 * of equals the idlest and then the youngest; one that boots is never given up for lack of traffic, only if the maximum has been
 * lowered below what there is. Pure.
 */
public final class Reconciler {

    private static final Comparator<ReplicaView> YOUNGEST_FIRST = Comparator.comparing(
                    ReplicaView::askedAt, Comparator.reverseOrder())
            .thenComparing(ReplicaView::id, Comparator.reverseOrder());

    /** Who is drained first when there are too many. */
    private static final Comparator<ReplicaView> LEAST_WANTED = Comparator.comparing(
                    ReplicaView::leavable, Comparator.reverseOrder())
            .thenComparingLong(replica -> -replica.microUsdPerHour().orElse(Long.MAX_VALUE))
            .thenComparing(replica -> replica.tier() != Tier.ON_DEMAND)
            .thenComparingInt(ReplicaView::inFlight)
            .thenComparing(ReplicaView::askedAt, Comparator.reverseOrder())
            .thenComparing(ReplicaView::id);

    private Reconciler() {}

    /**
     * Decides what to do.
     *
     * @param target replicas that should serve
     * @param most machines never exceeded, not counting those that their cloud will take, but by one for replicas to be left or
     *     at list price
     * @param observed every replica that is not confirmed gone
     * @param bootDeadline how long a replica may take until it serves
     * @param now the moment, on a clock that does not jump
     * @return what to do, possibly nothing
     */
    public static List<FleetAction> reconcile(
            int target, int most, List<ReplicaView> observed, Duration bootDeadline, Instant now) {
        var actions = new ArrayList<FleetAction>();
        var alive = new ArrayList<ReplicaView>();
        for (ReplicaView replica : observed) {
            if (replica.stage() == Stage.BROKEN) {
                actions.add(new FleetAction.End(replica.id(), replica.detail(), true));
            } else if (isOverdue(replica, bootDeadline, now)) {
                actions.add(new FleetAction.End(replica.id(), overdue(replica, bootDeadline), true));
            } else if (hasDrained(replica, now)) {
                actions.add(new FleetAction.End(replica.id(), replica.detail(), false));
            } else if (replica.doomed() && replica.stage() == Stage.READY) {
                actions.add(new FleetAction.Drain(replica.id(), "its cloud will take it"));
            } else if (replica.counts()) {
                alive.add(replica);
            }
        }
        int staying =
                (int) observed.stream().filter(replica -> !replica.doomed()).count();
        int missing = Math.min(target - alive.size(), most - staying);
        if (missing > 0) {
            actions.add(new FleetAction.Launch(missing));
        }
        int leavable = (int) alive.stream()
                .filter(replica -> replica.leavable() && replica.stage() == Stage.READY)
                .count();
        int firm = alive.size() - leavable;
        int successors = Math.min(Math.min(target, alive.size()) - firm, most + 1 - staying - Math.max(0, missing));
        if (successors > 0) {
            actions.add(new FleetAction.Relocate(successors));
        }
        List<ReplicaView> excess = excess(alive, most > 0 && changesPlace(alive) ? most + 1 : most);
        excess.forEach(replica -> actions.add(new FleetAction.End(
                replica.id(), "there may be " + most + " at the most from now on, and it does not serve yet", false)));
        alive.removeAll(excess);
        surplus(alive, target)
                .forEach(replica -> actions.add(new FleetAction.Drain(
                        replica.id(),
                        replica.leavable() && target > 0
                                ? "its cloud recommends to leave it, and enough others serve"
                                : "the traffic no longer needs it")));
        return actions;
    }

    private static boolean changesPlace(List<ReplicaView> alive) {
        boolean listPriceServes =
                alive.stream().anyMatch(replica -> replica.tier() == Tier.ON_DEMAND && replica.stage() == Stage.READY);
        boolean spotBoots =
                alive.stream().anyMatch(replica -> replica.tier() == Tier.SPOT && replica.stage() == Stage.BOOTING);
        return alive.stream().anyMatch(ReplicaView::leavable) || (listPriceServes && spotBoots);
    }

    /** Of more than there may be, those that boot go before any that serves, the youngest first. */
    private static List<ReplicaView> excess(List<ReplicaView> alive, int most) {
        return alive.stream()
                .filter(replica -> replica.stage() == Stage.BOOTING)
                .sorted(YOUNGEST_FIRST)
                .limit(Math.max(0, alive.size() - most))
                .toList();
    }

    /** Ready replicas beyond the target; those that boot do not make a ready one superfluous before they serve. */
    private static List<ReplicaView> surplus(List<ReplicaView> alive, int target) {
        List<ReplicaView> ready =
                alive.stream().filter(replica -> replica.stage() == Stage.READY).toList();
        return ready.stream()
                .sorted(LEAST_WANTED)
                .limit(Math.max(0, ready.size() - target))
                .toList();
    }

    private static boolean isOverdue(ReplicaView replica, Duration bootDeadline, Instant now) {
        return replica.stage() == Stage.BOOTING
                && !replica.askedAt().plus(bootDeadline).isAfter(now);
    }

    private static String overdue(ReplicaView replica, Duration bootDeadline) {
        return "did not serve within " + DurationText.format(bootDeadline) + "; it came as far as "
                + replica.reached().name().toLowerCase(Locale.ROOT)
                + (replica.detail().isEmpty() ? "" : " (" + replica.detail() + ")");
    }

    private static boolean hasDrained(ReplicaView replica, Instant now) {
        return replica.stage() == Stage.DRAINING
                && (replica.inFlight() == 0
                        || replica.drainUntil().map(end -> !end.isAfter(now)).orElse(false));
    }
}
