package dev.tuna.core.control;

import dev.tuna.spi.LaunchPlan;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Launches that are ready to be recorded and sent.
 *
 * @param plans one for each replica to be launched; fewer than asked for if pools rest
 * @param notBefore when the first pool has rested, if that is what is missing
 * @param usdPerHour what the dearest of the machines costs that the plans ask for first; empty if unknown
 * @param onDemandMicroUsdPerHour the cheapest machine at list price that would do; empty if unknown
 * @param spotMicroUsdPerHour the spot machine that would do best; empty if there is none or its price is unknown
 */
record Prepared(
        List<LaunchPlan> plans,
        Optional<Instant> notBefore,
        Optional<BigDecimal> usdPerHour,
        OptionalLong onDemandMicroUsdPerHour,
        OptionalLong spotMicroUsdPerHour) {

    Prepared {
        plans = List.copyOf(plans);
    }
}
