package dev.tuna.core.autoscale;

import dev.tuna.api.ScalingPolicy;
import dev.tuna.core.autoscale.ScalingMemory.Pressure;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Decides how many replicas there should be.
 *
 * <p>The traffic asks for as many as its rate fills at {@code target_qps} each, or its requests in flight fill at the
 * number that one model server takes at once, whichever is more. The target follows when the traffic has asked for a
 * change throughout the policy's delay, and then goes to the mildest number asked for in this time. From zero it rises at
 * once; while a replica boots, and for one delay after it became ready, it does not fall, so that no replica is rented and
 * given back unused. Pure.
 */
public final class Autoscaler {

    private Autoscaler() {}

    /**
     * Decides.
     *
     * @param policy limits, rate per replica and delays
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
        ScalingMemory sampled = memory.sampled(now, signals.requests());
        int wanted = wanted(policy, inFlightPerReplica, signals, sampled.rate(signals.requests()));
        int allowed = within(policy, wanted);
        int current = within(policy, memory.target());
        Optional<Pressure> pressure = pressure(sampled, current, allowed, now);
        boolean moves =
                pressure.filter(p -> acts(p, policy, fleet, current, now)).isPresent();
        int target = moves ? (current == 0 ? allowed : pressure.get().mildest()) : current;
        return new ScalingDecision(
                target, wanted, new ScalingMemory(target, sampled.samples(), moves ? Optional.empty() : pressure));
    }

    private static int wanted(ScalingPolicy.Spot policy, int inFlightPerReplica, Signals signals, double rate) {
        double byRate = Math.ceil(rate / policy.targetQps());
        int byLoad = (signals.present() + inFlightPerReplica - 1) / inFlightPerReplica;
        int some = signals.demand() || rate > 0 ? 1 : 0;
        return Math.max((int) Math.min(byRate, Integer.MAX_VALUE), Math.max(byLoad, some));
    }

    private static int within(ScalingPolicy.Spot policy, int replicas) {
        return Math.min(policy.maxReplicas(), Math.max(policy.minReplicas(), replicas));
    }

    private static Optional<Pressure> pressure(ScalingMemory memory, int current, int allowed, Instant now) {
        if (allowed == current) {
            return Optional.empty();
        }
        boolean up = allowed > current;
        return Optional.of(memory.pressure()
                .filter(p -> p.up() == up)
                .map(p -> new Pressure(
                        up, p.since(), up ? Math.min(p.mildest(), allowed) : Math.max(p.mildest(), allowed)))
                .orElseGet(() -> new Pressure(up, now, allowed)));
    }

    private static boolean acts(
            Pressure pressure, ScalingPolicy.Spot policy, FleetView fleet, int current, Instant now) {
        if (pressure.up()) {
            return current == 0 || lasted(pressure.since(), policy.upscaleDelay(), now);
        }
        return fleet.booting() == 0
                && lasted(pressure.since(), policy.downscaleDelay(), now)
                && fleet.lastReadyAt()
                        .map(ready -> lasted(ready, policy.downscaleDelay(), now))
                        .orElse(true);
    }

    private static boolean lasted(Instant since, Duration delay, Instant now) {
        return !since.plus(delay).isAfter(now);
    }
}
