package dev.tuna.testkit.aws;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One region with everything in it. Confined to the account's lock. */
final class AwsRegion {

    /** The regions that the account has. */
    static final List<String> NAMES = List.of("us-east-1", "us-east-2", "us-west-2");

    /** Numbers of the zones' ids, by name from a. */
    private static final Map<String, List<Integer>> ZONES = Map.of(
            "us-east-1", List.of(6, 1, 2, 4, 3, 5),
            "us-east-2", List.of(1, 2, 3),
            "us-west-2", List.of(2, 1, 3, 4));

    private static final Map<String, String> SHORT =
            Map.of("us-east-1", "use1", "us-east-2", "use2", "us-west-2", "usw2");

    private final String name;
    private final int number;
    private final String network;
    private final List<Zone> zones = new ArrayList<>();
    private final PriceBook prices = new PriceBook();
    private final Images images;
    private final Tokens tokens = new Tokens();
    private final Map<String, Integer> addresses = new LinkedHashMap<>();
    private final Map<String, StandInInstance> instances = new LinkedHashMap<>();
    private final Map<String, SecurityGroup> groups = new LinkedHashMap<>();
    private final Map<String, LaunchTemplate> templates = new LinkedHashMap<>();
    private final Map<String, Fleet> fleets = new LinkedHashMap<>();
    private final Map<String, Volume> volumes = new LinkedHashMap<>();
    private final Map<String, Parameter> parameters = new LinkedHashMap<>();

    /**
     * A parameter of the account's own.
     *
     * @param type {@code String}, {@code StringList} or {@code SecureString}
     * @param value what it holds
     * @param version counted from 1
     */
    record Parameter(String type, String value, int version) {}

    AwsRegion(String name, int firstNetwork, Instant now) {
        this.name = name;
        this.number = NAMES.indexOf(name);
        this.network = "127." + (firstNetwork + number);
        List<Integer> ids = ZONES.getOrDefault(name, List.of());
        for (int at = 0; at < ids.size(); at++) {
            String zone = name + (char) ('a' + at);
            zones.add(
                    new Zone(zone, SHORT.get(name) + "-az" + ids.get(at), Ids.fixed("subnet", zone), network, 16 * at));
        }
        for (MachineType type : MachineTypes.all()) {
            zonesOf(type).forEach(zone -> prices.open(type, zone.name(), number + 2 * zones.indexOf(zone), now));
        }
        images = new Images(name);
        SecurityGroup open =
                new SecurityGroup(Ids.fixed("sg", name), "default", "default VPC security group", Map.of());
        groups.put(open.id(), open);
    }

    String name() {
        return name;
    }

    String vpc() {
        return Ids.fixed("vpc", name);
    }

    String cidr() {
        return network + ".0.0/16";
    }

    List<Zone> zones() {
        return zones;
    }

    List<Zone> zonesOf(MachineType type) {
        return zones.subList(0, MachineTypes.zones(type, number, zones.size()));
    }

    Optional<Zone> zone(String zone) {
        return zones.stream()
                .filter(each -> each.name().equals(zone) || each.id().equals(zone))
                .findFirst();
    }

    Optional<Zone> subnet(String id) {
        return zones.stream().filter(each -> each.subnet().equals(id)).findFirst();
    }

    /** An address that nobody has had. */
    String nextAddress(Zone zone) {
        return zone.address(addresses.merge(zone.name(), 1, Integer::sum) - 1);
    }

    PriceBook prices() {
        return prices;
    }

    Images images() {
        return images;
    }

    Tokens tokens() {
        return tokens;
    }

    Map<String, StandInInstance> instances() {
        return instances;
    }

    Map<String, SecurityGroup> groups() {
        return groups;
    }

    SecurityGroup defaultGroup() {
        return groups.values().iterator().next();
    }

    Map<String, LaunchTemplate> templates() {
        return templates;
    }

    Map<String, Fleet> fleets() {
        return fleets;
    }

    Map<String, Parameter> parameters() {
        return parameters;
    }

    Map<String, Volume> volumes() {
        return volumes;
    }
}
