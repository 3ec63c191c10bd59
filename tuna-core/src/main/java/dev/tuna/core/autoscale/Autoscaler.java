package dev.tuna.core.autoscale;

import dev.tuna.api.ScalingPolicy;
import java.time.Duration;
import java.time.Instant;

/**
 * Decides how many replicas there should be.
 *
 * <p>The traffic asks for as many as its requests fill at {@code target_qps} each, its generated tokens at {@code
 * target_tokens_per_second} each (if that is set), or its requests in flight at the number that one model server takes at
 * once, whichever is most. The target rises to what the traffic has asked for, or more, during the up-scale delay in all
 * within the last delay and a quarter, and falls to what it has asked for, or less, during the down-scale delay in all
 * within the last delay and a quarter. So a dip or a peak shorter than a quarter of the delay does not matter, and after
 * each change a whole delay has to pass before the next one. From zero the target rises at once; while a replica boots, and
 * for one delay after it became ready, it does not fall, so that no replica is rented and given back unused. Pure.
 */
public final class Autoscaler {

    private Autoscaler() {}

    /**
     * Decides.
     *
     * @param policy limits, load per replica and delays
     * @param inFlightPerReplica requests that one replica should work on at once, 1 or more
     * @param signals the traffic now
     * @param fleet the fleet now
     * @param now the moment, on a clock that does not jump
     * @param memory from the last decision
     * @return the target and what to remember
     */
    public static ScalingDecision decide(
            ScalingPolicy.Spot policy,
            int inFlightPerReplica,
            Signals signals,
            FleetView fleet,
            Instant now,
            ScalingMemory memory) {
        ScalingMemory counted = memory.counted(now, signals);
        int wanted = wanted(policy, inFlightPerReplica, signals, counted);
        int allowed = within(policy, wanted);
        int current = within(policy, memory.target());
        ScalingMemory noted = counted.noted(now, allowed, policy);
        int target = next(policy, current, allowed, fleet, now, noted);
        return new ScalingDecision(target, wanted, target == current ? noted.at(target) : noted.movedTo(target));
    }

    private static int wanted(
            ScalingPolicy.Spot policy, int inFlightPerReplica, Signals signals, ScalingMemory counted) {
        double requests = counted.requestRate(signals);
        double byRequests = Math.ceil(requests / policy.targetQps());
        double byTokens = policy.targetTokensPerSecond().isPresent()
                ? Math.ceil(counted.tokenRate(signals)
                        / policy.targetTokensPerSecond().getAsDouble())
                : 0;
        int byLoad = (signals.present() + inFlightPerReplica - 1) / inFlightPerReplica;
        int some = signals.demand() || requests > 0 ? 1 : 0;
        return Math.max((int) Math.min(Math.max(byRequests, byTokens), Integer.MAX_VALUE), Math.max(byLoad, some));
    }

    private static int within(ScalingPolicy.Spot policy, int replicas) {
        return Math.min(policy.maxReplicas(), Math.max(policy.minReplicas(), replicas));
    }

    private static int next(
            ScalingPolicy.Spot policy, int current, int allowed, FleetView fleet, Instant now, ScalingMemory noted) {
        if (allowed > current) {
            return current == 0 ? allowed : Math.max(current, noted.up().atLeast(policy.upscaleDelay(), now));
        }
        if (allowed < current && mayFall(fleet, policy.downscaleDelay(), now)) {
            return Math.min(current, noted.down().atMost(policy.downscaleDelay(), now));
        }
        return current;
    }

    private static boolean mayFall(FleetView fleet, Duration delay, Instant now) {
        return fleet.booting() == 0
                && fleet.lastReadyAt()
                        .map(ready -> !ready.plus(delay).isAfter(now))
                        .orElse(true);
    }
}
