package dev.tuna.spot.aws;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Where machines of a region may be. Immutable.
 *
 * @param vpc id of the network
 * @param cidr its addresses
 * @param subnets ids of the subnets allowed, by zone
 */
record Network(String vpc, String cidr, Map<String, List<String>> subnets) {

    Network {
        Objects.requireNonNull(vpc, "vpc");
        Objects.requireNonNull(cidr, "cidr");
        subnets = Map.copyOf(subnets);
    }

    /** The zone of a subnet. */
    Optional<String> zone(String subnet) {
        return subnets.entrySet().stream()
                .filter(zone -> zone.getValue().contains(subnet))
                .map(Map.Entry::getKey)
                .findFirst();
    }

    Set<String> zones() {
        return subnets.keySet();
    }
}
