package dev.tuna.core.control;

import dev.tuna.api.DeployRequest;
import dev.tuna.core.config.DurationText;
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
                .build();
        return numbers.equals(to) ? Change.NUMBERS : Change.BACKENDS;
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
     * A successor takes over as soon as it serves with as many replicas as the one that it follows, so that its serverless
     * endpoint does not have to bear what a fleet bore; when its time is up, with what serves.
     */
    static Verdict judge(Managed current, Managed successor, Instant now, ControlTimings timings) {
        if (current.goal() != Goal.SERVE || successor.goal() != Goal.SERVE) {
            return Verdict.ABANDON;
        }
        boolean timeIsUp =
                !successor.revision().askedSteady().plus(timings.rollDeadline()).isAfter(now);
        if (successor.present().stream().anyMatch(Backend::serves)) {
            long enough = Math.min(serving(current), successor.fleet().scaling().target());
            return timeIsUp || serving(successor) >= enough ? Verdict.TAKE_OVER : Verdict.WAIT;
        }
        return timeIsUp ? Verdict.ABANDON : Verdict.WAIT;
    }

    private static long serving(Managed managed) {
        return managed.replicas().filter(Backend::serves).count();
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
        return "it did not serve within " + DurationText.format(timings.rollDeadline())
                + (problems.isEmpty() ? "" : ": " + problems);
    }

    /** A successor begins with as many replicas as serve now, and one at least, as far as its limits allow. */
    static int firstTarget(DeployRequest request, Managed current) {
        var spot = request.effectiveScaling().spot();
        return Math.min(
                spot.maxReplicas(),
                Math.max(Fleet.firstTarget(spot), current.fleet().scaling().target()));
    }
}
