package dev.tuna.testkit.aws;

import java.math.BigDecimal;
import java.util.Map;
import java.util.Optional;

/**
 * One instance that is to be launched, everything decided.
 *
 * @param spec parameters as of a launch template
 * @param type instance type
 * @param zone zone and subnet
 * @param market how it is paid for
 * @param tags of the instance
 * @param clientToken that the instance shows; may be empty
 * @param mostUsdPerHour limit of the caller's own; empty for the list price
 */
record LaunchOrder(
        Form spec,
        MachineType type,
        Zone zone,
        Market market,
        Map<String, String> tags,
        String clientToken,
        Optional<BigDecimal> mostUsdPerHour) {

    LaunchOrder {
        tags = Map.copyOf(tags);
    }

    Pool pool() {
        return new Pool(zone.name(), type.name(), market);
    }
}
