package dev.tuna.core.control;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.DeployRequest;
import dev.tuna.core.text.DurationText;
import java.time.Instant;

/** Decides how a live deployment changes over to another request. Pure. */
final class Rolls {

    private Rolls() {}

    /** What it takes to get from one request to another. */
    enum Change {
        /** They are the same. */
        NONE,
        /** They differ in numbers that nobody but the control loop looks at. */
        NUMBERS,
        /** Something that a provider was sent differs. */
        BACKENDS
    }

    static Change between(DeployRequest from, DeployRequest to) {
        if (from.equals(to)) {
            return Change.NONE;
        }
        DeployRequest numbers = from.toBuilder()
                .scaling(from.scaling().withSpot(to.scaling().spot()))
                .serverlessOnly(to.serverlessOnly())
                .budget(to.budget())
                .build();
        // An endpoint that may have as many containers as the fleet has replicas is as wide as its provider was told.
        boolean endpointsStay = from.effectiveScaling()
                .serverless()
                .equals(to.effectiveScaling().serverless());
        return numbers.equals(to) && endpointsStay ? Change.NUMBERS : Change.BACKENDS;
    }

    /** What is to become of a roll. */
    enum Verdict {
        /** It goes on. */
        WAIT,
        /** The successor takes over. */
        TAKE_OVER,
        /** The successor is given up. */
        ABANDON
    }

    /**
     * A successor takes over as soon as it bears what the one that it follows bears: with as many replicas, so that its
     * serverless endpoint does not have to bear what a fleet bore, unless there is no money for both fleets, and with an endpoint
     * to catch what these drop. When its time is up it takes over with what serves, unless a fleet would be replaced by one that cannot rent anything.
     */
    static Verdict judge(Managed current, Managed successor, Instant now, ControlTimings timings) {
        if (current.goal() != Goal.SERVE || successor.goal() != Goal.SERVE) {
            return Verdict.ABANDON;
        }
        boolean timeIsUp = !successor
                .revision()
                .since()
                .steady()
                .plus(timings.rollDeadline())
                .isAfter(now);
        if (timeIsUp) {
            return serves(successor) && !losesFleet(current, successor) ? Verdict.TAKE_OVER : Verdict.ABANDON;
        }
        // What an earlier process left serves although it has not been seen yet.
        boolean allSeen = current.present().stream().noneMatch(Backend::isUnseen);
        return allSeen && serves(successor) && bearsAsMuch(current, successor, now) ? Verdict.TAKE_OVER : Verdict.WAIT;
    }

    private static boolean serves(Managed managed) {
        return managed.present().stream().anyMatch(Backend::serves);
    }

    private static boolean bearsAsMuch(Managed current, Managed successor, Instant now) {
        Fleet fleet = successor.fleet();
        int affordable = successor.restraint().launchable(fleet.price().at(now));
        int enough = Math.min(Math.min(serving(current), fleet.scaling().target()), affordable);
        return serving(successor) >= enough && (hasEndpoint(successor) || !hasEndpoint(current));
    }

    private static int serving(Managed managed) {
        return managed.replicas(Backend::serves);
    }

    /** While spot serves, an endpoint is not tried before it is needed. */
    private static boolean hasEndpoint(Managed managed) {
        return managed.endpoints()
                .anyMatch(endpoint -> endpoint.isWanted()
                        && endpoint.phase() == BackendPhase.READY
                        && endpoint.address().isPresent());
    }

    private static boolean losesFleet(Managed current, Managed successor) {
        Fleet fleet = successor.fleet();
        return fleet.cloud().isPresent() && !fleet.isHopeful() && serving(successor) == 0 && serving(current) > 0;
    }

    /** Why a successor is given up. */
    static String reason(Managed current, Managed successor, ControlTimings timings) {
        if (current.goal() != Goal.SERVE) {
            return "the deployment is being destroyed";
        }
        if (successor.goal() == Goal.FAIL) {
            return successor.reason();
        }
        String problems = String.join("; ", successor.problems().values());
        String limit = DurationText.format(timings.rollDeadline());
        String what = serves(successor)
                ? "it has no replica after " + limit + " and cannot rent one, and what serves now has some"
                : "it did not serve within " + limit;
        return what + (problems.isEmpty() ? "" : ": " + problems);
    }

    /** A successor begins with as many replicas as are wanted now, and one at least, as far as its limits allow. */
    static int firstTarget(DeployRequest request, Managed current) {
        var spot = request.effectiveScaling().spot();
        return Math.min(
                spot.maxReplicas(),
                Math.max(Fleet.firstTarget(spot), current.fleet().scaling().target()));
    }
}
