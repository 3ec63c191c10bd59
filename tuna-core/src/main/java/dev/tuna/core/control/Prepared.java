package dev.tuna.core.control;

import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.LaunchPlan;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Launches that are ready to be recorded and sent.
 *
 * @param launches one for each replica to be launched; fewer than asked for if pools rest, or cost more than there is money for
 * @param notBefore when the first pool has rested, if that is what is missing
 * @param usdPerHour what the dearest of the machines costs that the plans ask for first, or the cheapest one if there is no money
 *     for any; empty if unknown
 * @param onDemandMicroUsdPerHour the cheapest machine at list price that would do; empty if unknown
 * @param spotMicroUsdPerHour the spot machine that would do best; empty if there is none or its price is unknown
 */
record Prepared(
        List<Launch> launches,
        Optional<Instant> notBefore,
        Optional<BigDecimal> usdPerHour,
        OptionalLong onDemandMicroUsdPerHour,
        OptionalLong spotMicroUsdPerHour) {

    Prepared {
        launches = List.copyOf(launches);
    }

    boolean isPriced() {
        return launches.stream().allMatch(launch -> launch.usdPerHour().isPresent());
    }

    /**
     * One launch.
     *
     * @param plan what is sent
     * @param usdPerHour what the dearest of the machines costs that may come of it; empty if none has a price
     */
    record Launch(LaunchPlan plan, Optional<BigDecimal> usdPerHour) {

        CapacityPool best() {
            return plan.pools().get(0);
        }
    }
}
