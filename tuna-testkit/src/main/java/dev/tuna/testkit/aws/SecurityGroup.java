package dev.tuna.testkit.aws;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** A security group. Confined to the account's lock. */
final class SecurityGroup {

    private final String id;
    private final String name;
    private final String description;
    private final Map<String, String> tags;
    private final Map<Rule, String> rules = new LinkedHashMap<>();

    /**
     * Who may come in where.
     *
     * @param protocol {@code tcp}, {@code udp}, {@code icmp} or {@code -1}
     * @param from first port; -1 for every port
     * @param to last port
     * @param cidr whose addresses; empty if a group may
     * @param group which group; empty if addresses may
     */
    record Rule(String protocol, int from, int to, String cidr, String group) {
        String told() {
            return "peer: %s, %s, from port: %d, to port: %d, ALLOW"
                    .formatted(cidr.isEmpty() ? group : cidr, protocol.toUpperCase(Locale.ROOT), from, to);
        }
    }

    SecurityGroup(String id, String name, String description, Map<String, String> tags) {
        this.id = id;
        this.name = name;
        this.description = description;
        this.tags = new LinkedHashMap<>(tags);
    }

    String id() {
        return id;
    }

    String name() {
        return name;
    }

    String description() {
        return description;
    }

    Map<String, String> tags() {
        return tags;
    }

    /** Rule to its description, which may be empty. */
    Map<Rule, String> rules() {
        return rules;
    }

    String ruleId(Rule rule) {
        return Ids.fixed("sgr", id + rule);
    }

    Optional<Rule> rule(String ruleId) {
        return rules.keySet().stream()
                .filter(rule -> ruleId(rule).equals(ruleId))
                .findFirst();
    }
}
