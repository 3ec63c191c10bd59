package dev.tuna.core.control;

import dev.tuna.spi.LaunchPlan;
import java.util.List;
import java.util.OptionalLong;

/**
 * Launches that are ready to be recorded and sent.
 *
 * @param plans one for each replica to be launched
 * @param onDemandMicroUsdPerHour the cheapest machine at list price that would do; empty if unknown
 */
record Prepared(List<LaunchPlan> plans, OptionalLong onDemandMicroUsdPerHour) {

    Prepared {
        plans = List.copyOf(plans);
    }
}
