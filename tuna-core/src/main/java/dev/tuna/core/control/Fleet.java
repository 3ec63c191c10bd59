package dev.tuna.core.control;

import dev.tuna.api.ScalingPolicy;
import dev.tuna.core.autoscale.LastReplica;
import dev.tuna.core.autoscale.ScalingMemory;
import dev.tuna.core.budget.LastPrice;
import dev.tuna.core.placement.PoolHistory;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * The rented replicas as a whole. Immutable.
 *
 * @param cloud who rents them; empty if the deployment does without
 * @param checked whether its cloud has been checked; one that did not answer has not
 * @param usable whether the check passed
 * @param call a check or a search for pools under way
 * @param retry when the next check or launch may be made
 * @param bootFailures replicas that failed to come up, or broke soon after, in a row
 * @param bootFailedAt when the last one did, in steady time
 * @param relocateAfter before which no successor is asked for of a replica that might merely be taken or is
 *     dearer than it need be, in steady time
 * @param history what went wrong lately in which pool
 * @param scaling what the autoscaler remembers
 * @param last what is remembered of whether the last replica pays
 * @param spotPrice microdollars per hour of the spot machine that was planned last; empty if unknown
 * @param drySince since when no spot machine was to be had, in steady time; empty while there is one
 * @param price what a replica was last known to cost
 * @param launched replicas asked for so far; names the next one
 * @param demand whether a request has come that no replica could take
 */
record Fleet(
        Optional<String> cloud,
        boolean checked,
        boolean usable,
        Optional<Call> call,
        Retry retry,
        int bootFailures,
        Instant bootFailedAt,
        Instant relocateAfter,
        PoolHistory history,
        ScalingMemory scaling,
        LastReplica last,
        OptionalLong spotPrice,
        Optional<Instant> drySince,
        LastPrice price,
        int launched,
        boolean demand) {

    /**
     * A fleet that has yet to rent something.
     *
     * @param target replicas to begin with
     * @param delay how long an idle replica is kept
     */
    static Fleet of(Optional<String> cloud, int target, Duration delay, Instant now) {
        return new Fleet(
                cloud,
                false,
                false,
                Optional.empty(),
                Retry.NONE,
                0,
                Instant.MIN,
                Instant.MIN,
                PoolHistory.NONE,
                ScalingMemory.startingAt(target),
                LastReplica.begin(now, delay),
                OptionalLong.empty(),
                Optional.empty(),
                LastPrice.NONE,
                0,
                false);
    }

    /** Where a fleet begins: with one replica at least, so that it shows early whether replicas come up at all. */
    static int firstTarget(ScalingPolicy.Spot policy) {
        return Math.min(policy.maxReplicas(), Math.max(1, policy.minReplicas()));
    }

    /** Whether it could rent machines, now or when its cloud has been checked. */
    boolean isHopeful() {
        return cloud.isPresent() && (usable || !checked);
    }

    Fleet with(Consumer<Draft> change) {
        var draft = new Draft(this);
        change.accept(draft);
        return new Fleet(
                draft.cloud,
                draft.checked,
                draft.usable,
                draft.call,
                draft.retry,
                draft.bootFailures,
                draft.bootFailedAt,
                draft.relocateAfter,
                draft.history,
                draft.scaling,
                draft.last,
                draft.spotPrice,
                draft.drySince,
                draft.price,
                draft.launched,
                draft.demand);
    }

    /** The parts that change, while they are being changed. Confined to one call of {@link #with}. */
    static final class Draft {
        Optional<String> cloud;
        boolean checked;
        boolean usable;
        Optional<Call> call;
        Retry retry;
        int bootFailures;
        Instant bootFailedAt;
        Instant relocateAfter;
        PoolHistory history;
        ScalingMemory scaling;
        LastReplica last;
        OptionalLong spotPrice;
        Optional<Instant> drySince;
        LastPrice price;
        int launched;
        boolean demand;

        private Draft(Fleet before) {
            cloud = before.cloud;
            checked = before.checked;
            usable = before.usable;
            call = before.call;
            retry = before.retry;
            bootFailures = before.bootFailures;
            bootFailedAt = before.bootFailedAt;
            relocateAfter = before.relocateAfter;
            history = before.history;
            scaling = before.scaling;
            last = before.last;
            spotPrice = before.spotPrice;
            drySince = before.drySince;
            price = before.price;
            launched = before.launched;
            demand = before.demand;
        }
    }
}
