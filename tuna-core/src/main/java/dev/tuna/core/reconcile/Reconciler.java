package dev.tuna.core.reconcile;

import dev.tuna.core.config.DurationText;
import dev.tuna.core.reconcile.ReplicaView.Stage;
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
 * may still run. Of too many, ready ones are drained, the dearest first, and of equals the idlest and then the youngest;
 * one that boots is never given up for lack of traffic. Pure.
 */
public final class Reconciler {

    /** Who is drained first when there are too many. */
    private static final Comparator<ReplicaView> LEAST_WANTED = Comparator.<ReplicaView>comparingLong(
                    replica -> -replica.microUsdPerHour().orElse(Long.MAX_VALUE))
            .thenComparingInt(ReplicaView::inFlight)
            .thenComparing(ReplicaView::askedAt, Comparator.reverseOrder())
            .thenComparing(ReplicaView::id);

    private Reconciler() {}

    /**
     * Decides what to do.
     *
     * @param target replicas that should serve
     * @param most machines never exceeded
     * @param observed every replica that is not confirmed gone
     * @param bootDeadline how long a replica may take until it serves
     * @param now the moment, on a clock that does not jump
     * @return what to do, possibly nothing
     */
    public static List<FleetAction> reconcile(
            int target, int most, List<ReplicaView> observed, Duration bootDeadline, Instant now) {
        var actions = new ArrayList<FleetAction>();
        int alive = 0;
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
                alive++;
            }
        }
        int missing = Math.min(target - alive, most - observed.size());
        if (missing > 0) {
            actions.add(new FleetAction.Launch(missing));
        }
        surplus(alive - target, observed)
                .forEach(replica -> actions.add(new FleetAction.Drain(replica.id(), "the traffic no longer needs it")));
        return actions;
    }

    /** Ready replicas beyond the target; those that boot do not make a ready one superfluous before they serve. */
    private static List<ReplicaView> surplus(int surplus, List<ReplicaView> observed) {
        if (surplus <= 0) {
            return List.of();
        }
        List<ReplicaView> ready = observed.stream()
                .filter(replica -> replica.stage() == Stage.READY && replica.counts())
                .toList();
        int booting = (int) observed.stream()
                .filter(replica -> replica.stage() == Stage.BOOTING && replica.counts())
                .count();
        return ready.stream()
                .sorted(LEAST_WANTED)
                .limit(Math.max(0, surplus - booting))
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
