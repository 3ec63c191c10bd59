package dev.tuna.core.control;

import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.Tier;
import java.util.EnumMap;
import java.util.Map;

/** Adds traffic up over restarts. Pure. */
final class Traffic {

    private Traffic() {}

    /** Counts add up; what is in flight or waiting is only so now. */
    static TrafficStats sum(TrafficStats before, TrafficStats current) {
        if (before.equals(TrafficStats.NONE)) {
            return current;
        }
        Map<Tier, Long> byTier = new EnumMap<>(Tier.class);
        byTier.putAll(before.byTier());
        current.byTier().forEach((tier, count) -> byTier.merge(tier, count, Long::sum));
        return new TrafficStats(
                before.requests() + current.requests(),
                before.succeeded() + current.succeeded(),
                before.failed() + current.failed(),
                before.rejected() + current.rejected(),
                before.clientErrors() + current.clientErrors(),
                before.failedOver() + current.failedOver(),
                current.inFlight(),
                current.waiting(),
                byTier);
    }

    /** What is still true of stored traffic after a restart. */
    static TrafficStats past(TrafficStats stored) {
        return new TrafficStats(
                stored.requests(),
                stored.succeeded(),
                stored.failed(),
                stored.rejected(),
                stored.clientErrors(),
                stored.failedOver(),
                0,
                0,
                stored.byTier());
    }
}
