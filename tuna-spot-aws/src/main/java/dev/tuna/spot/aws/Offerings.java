package dev.tuna.spot.aws;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What EC2 sells in a region, whether or not there is any at the moment. Changes by the month. Immutable.
 *
 * @param types machine types by name
 * @param zones zones that have a type, by the type's name
 * @param asOf when this was read
 * @param source where from
 */
record Offerings(Map<String, MachineType> types, Map<String, List<String>> zones, Instant asOf, String source) {

    Offerings {
        types = Map.copyOf(types);
        zones = Map.copyOf(zones);
        Objects.requireNonNull(asOf, "asOf");
        Objects.requireNonNull(source, "source");
    }
}
