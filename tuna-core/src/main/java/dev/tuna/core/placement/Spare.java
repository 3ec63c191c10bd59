package dev.tuna.core.placement;

import dev.tuna.spi.CapacityPool;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.OptionalDouble;

/**
 * How many replicas more than the traffic asks for pay because of losses: each loss makes serverless serve until the next
 * replica has booted, which one that is there already saves. Pure.
 */
public final class Spare {

    private Spare() {}

    /**
     * Decides.
     *
     * @param fleet where the fleet's replicas are
     * @param history what became of replicas
     * @param costRatio price of a container as a multiple of a replica's; empty if either is unknown
     * @param containers containers that one replica makes superfluous at the current load, fractions allowed
     * @param boot how long a replica takes until it serves
     * @param now the moment
     * @return 0 or more; never more than the fleet is large
     */
    public static int replicas(
            Collection<CapacityPool> fleet,
            PoolHistory history,
            OptionalDouble costRatio,
            double containers,
            Duration boot,
            Instant now) {
        if (fleet.isEmpty() || costRatio.isEmpty()) {
            return 0;
        }
        double losses = 0;
        for (CapacityPool pool : fleet) {
            losses += history.lossesPerHour(pool, now);
        }
        // Of an hour that one spare replica is paid for, so much does it stand in, at what containers cost then.
        double bridged = losses * boot.toMillis() / 3_600_000.0;
        return Math.min(fleet.size(), (int) (bridged * costRatio.getAsDouble() * containers));
    }
}
