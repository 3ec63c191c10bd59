package dev.tuna.testkit.aws;

import dev.tuna.testkit.aws.SecurityGroup.Rule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Security groups. Stateless. */
final class GroupActions {

    private static final Set<String> TAGGED = Set.of("security-group");
    private static final int LONGEST = 255;
    private static final int MOST_RULES = 60;

    private GroupActions() {}

    static void addTo(Map<String, Ec2Call.Action> actions) {
        actions.put("CreateSecurityGroup", GroupActions::create);
        actions.put("AuthorizeSecurityGroupIngress", GroupActions::authorize);
        actions.put("RevokeSecurityGroupIngress", GroupActions::revoke);
        actions.put("DescribeSecurityGroups", GroupActions::describe);
        actions.put("DeleteSecurityGroup", GroupActions::delete);
    }

    private static void create(Ec2Call call, Xml out) {
        String name = call.form().require("GroupName");
        String description = call.form().require("GroupDescription");
        String vpc = call.form().text("VpcId").orElse(call.region().vpc());
        if (!vpc.equals(call.region().vpc())) {
            throw AwsError.bad("InvalidVpcID.NotFound", "The vpc ID '" + vpc + "' does not exist");
        }
        if (name.length() > LONGEST || name.startsWith("sg-")) {
            throw AwsError.invalid(
                    "Value (" + name
                            + ") for parameter GroupName is invalid. Group names may not be in the format sg-* and have at most 255 characters.");
        }
        if (!(description.length() <= LONGEST && description.matches("[a-zA-Z0-9 ._\\-:/()#,@\\[\\]+=&;{}!$*]+"))) {
            throw AwsError.invalid("Value (" + description
                    + ") for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.");
        }
        Map<String, String> tags = call.tags("security-group", TAGGED);
        if (call.region().groups().values().stream()
                .anyMatch(each -> each.name().equals(name))) {
            throw AwsError.bad(
                    "InvalidGroup.Duplicate", "The security group '" + name + "' already exists for VPC '" + vpc + "'");
        }
        call.commit();
        SecurityGroup made = new SecurityGroup(call.account().ids().next("sg"), name, description, tags);
        call.region().groups().put(made.id(), made);
        call.account().made(made.id());
        out.put("groupId", made.id())
                .put("securityGroupArn", arn(call.region(), made))
                .tags(tags);
    }

    private static String arn(AwsRegion region, SecurityGroup group) {
        return "arn:aws:ec2:" + region.name() + ":" + AwsAccount.ID + ":security-group/" + group.id();
    }

    private static void authorize(Ec2Call call, Xml out) {
        SecurityGroup group = find(call);
        Map<Rule, String> rules = rules(call.form());
        rules.keySet().stream().filter(group.rules()::containsKey).findFirst().ifPresent(rule -> {
            throw AwsError.bad(
                    "InvalidPermission.Duplicate", "the specified rule \"" + rule.told() + "\" already exists");
        });
        if (group.rules().size() + rules.size() > MOST_RULES) {
            throw AwsError.bad(
                    "RulesPerSecurityGroupLimitExceeded",
                    "The maximum number of rules per security group has been reached.");
        }
        call.commit();
        group.rules().putAll(rules);
        out.put("return", true).list("securityGroupRuleSet", rules.entrySet(), (item, rule) -> {
            item.put("securityGroupRuleId", group.ruleId(rule.getKey()))
                    .put("groupId", group.id())
                    .put("groupOwnerId", AwsAccount.ID)
                    .put("isEgress", false)
                    .put("ipProtocol", rule.getKey().protocol())
                    .put("fromPort", rule.getKey().from())
                    .put("toPort", rule.getKey().to());
            if (!rule.getKey().cidr().isEmpty()) {
                item.put("cidrIpv4", rule.getKey().cidr());
            }
            if (!rule.getValue().isEmpty()) {
                item.put("description", rule.getValue());
            }
        });
    }

    private static void revoke(Ec2Call call, Xml out) {
        SecurityGroup group = find(call);
        List<Rule> rules = new ArrayList<>();
        List<String> ids = call.form().texts("SecurityGroupRuleId");
        for (String id : ids) {
            rules.add(group.rule(id)
                    .orElseThrow(() -> AwsError.bad(
                            "InvalidSecurityGroupRuleId.NotFound",
                            "The security group rule ID '" + id + "' does not exist")));
        }
        if (ids.isEmpty()) {
            rules.addAll(rules(call.form()).keySet());
        }
        rules.stream()
                .filter(rule -> !group.rules().containsKey(rule))
                .findFirst()
                .ifPresent(rule -> {
                    throw AwsError.bad(
                            "InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
                });
        call.commit();
        group.rules().keySet().removeAll(rules);
        out.put("return", true);
    }

    private static Map<Rule, String> rules(Form form) {
        Map<Rule, String> rules = new LinkedHashMap<>();
        List<Form> permissions = new ArrayList<>(form.parts("IpPermissions"));
        if (permissions.isEmpty()) {
            rules.put(rule(form, form.require("CidrIp"), ""), "");
        }
        for (Form permission : permissions) {
            permission
                    .parts("IpRanges")
                    .forEach(range -> rules.put(
                            rule(permission, range.require("CidrIp"), ""),
                            range.text("Description").orElse("")));
            permission
                    .parts("Groups")
                    .forEach(pair -> rules.put(
                            rule(permission, "", pair.require("GroupId")),
                            pair.text("Description").orElse("")));
        }
        if (rules.isEmpty()) {
            throw AwsError.missing("IpRanges");
        }
        return rules;
    }

    private static Rule rule(Form permission, String cidr, String group) {
        String protocol = permission.require("IpProtocol");
        if (!cidr.isEmpty() && !isCidr(cidr)) {
            throw AwsError.invalid("CIDR block " + cidr + " is malformed");
        }
        int from = permission.number("FromPort", -1);
        int to = permission.number("ToPort", -1);
        if (protocol.equals("tcp") && (from < 0 || to > 65535 || from > to)) {
            throw AwsError.invalid("Invalid TCP port range " + from + " to " + to);
        }
        return new Rule(protocol, from, to, cidr, group);
    }

    private static boolean isCidr(String cidr) {
        String number = "(25[0-5]|2[0-4]\\d|1?\\d?\\d)";
        return cidr.matches(number + "(\\." + number + "){3}/(3[0-2]|[12]?\\d)");
    }

    private static SecurityGroup find(Ec2Call call) {
        Optional<String> id = call.form().text("GroupId");
        if (id.isPresent()) {
            return byId(call, id.get());
        }
        String name = call.form().require("GroupName");
        return call.region().groups().values().stream()
                .filter(each -> each.name().equals(name) && !call.account().hides(each.id()))
                .findFirst()
                .orElseThrow(() -> AwsError.bad(
                        "InvalidGroup.NotFound", "The security group '" + name + "' does not exist in default VPC"));
    }

    private static SecurityGroup byId(Ec2Call call, String id) {
        return Optional.ofNullable(call.region().groups().get(id))
                .filter(group -> !call.account().hides(id))
                .orElseThrow(() -> AwsError.bad(
                        id.matches("sg-([0-9a-f]{8}|[0-9a-f]{17})")
                                ? "InvalidGroup.NotFound"
                                : "InvalidGroupId.Malformed",
                        "The security group '" + id + "' does not exist"));
    }

    private static void delete(Ec2Call call, Xml out) {
        SecurityGroup group = find(call);
        if (group.equals(call.region().defaultGroup())) {
            throw AwsError.bad(
                    "CannotDelete",
                    "the specified group: \"" + group.id() + "\" name: \"default\" cannot be deleted by a user");
        }
        boolean used = call.region().instances().values().stream()
                .anyMatch(each ->
                        each.groups().contains(group.id()) && each.state(call.now()) != InstanceState.TERMINATED);
        boolean named = call.region().groups().values().stream()
                .filter(each -> !each.equals(group))
                .flatMap(each -> each.rules().keySet().stream())
                .anyMatch(rule -> rule.group().equals(group.id()));
        if (used || named) {
            throw AwsError.bad("DependencyViolation", "resource " + group.id() + " has a dependent object");
        }
        call.commit();
        call.region().groups().remove(group.id());
        out.put("return", true).put("groupId", group.id());
    }

    private static void describe(Ec2Call call, Xml out) {
        List<String> ids = call.form().texts("GroupId");
        List<String> names = call.form().texts("GroupName");
        ids.forEach(id -> byId(call, id));
        names.stream()
                .filter(name -> call.region().groups().values().stream()
                        .noneMatch(each -> each.name().equals(name)))
                .findFirst()
                .ifPresent(name -> {
                    throw AwsError.bad("InvalidGroup.NotFound", "The security group '" + name + "' does not exist");
                });
        List<SecurityGroup> groups = call.region().groups().values().stream()
                .filter(each -> ids.isEmpty() || ids.contains(each.id()))
                .filter(each -> names.isEmpty() || names.contains(each.name()))
                .filter(each -> call.filters().match(each.tags(), name -> switch (name) {
                    case "group-id" -> List.of(each.id());
                    case "group-name" -> List.of(each.name());
                    case "description" -> List.of(each.description());
                    case "vpc-id" -> List.of(call.region().vpc());
                    case "owner-id" -> List.of(AwsAccount.ID);
                    default -> throw Filters.unknown(name);
                }))
                .filter(each -> !call.account().hides(each.id()))
                .toList();
        out.list(
                "securityGroupInfo",
                call.page(groups, 5, 1000, out),
                (item, group) -> write(item, call.region(), group));
    }

    private static void write(Xml item, AwsRegion region, SecurityGroup group) {
        item.put("ownerId", AwsAccount.ID)
                .put("groupId", group.id())
                .put("groupName", group.name())
                .put("groupDescription", group.description())
                .put("vpcId", region.vpc())
                .put("securityGroupArn", arn(region, group))
                .list("ipPermissions", group.rules().entrySet(), (permission, rule) -> {
                    permission.put("ipProtocol", rule.getKey().protocol());
                    if (rule.getKey().from() >= 0) {
                        permission
                                .put("fromPort", rule.getKey().from())
                                .put("toPort", rule.getKey().to());
                    }
                    write(permission, rule.getKey(), rule.getValue());
                })
                .list(
                        "ipPermissionsEgress",
                        List.of("0.0.0.0/0"),
                        (permission, cidr) -> permission
                                .put("ipProtocol", "-1")
                                .list("ipRanges", List.of(cidr), (range, each) -> range.put("cidrIp", each)))
                .tags(group.tags());
    }

    private static void write(Xml permission, Rule rule, String description) {
        if (rule.cidr().isEmpty()) {
            permission.list(
                    "groups",
                    List.of(rule.group()),
                    (pair, id) -> pair.put("groupId", id).put("userId", AwsAccount.ID));
        } else {
            permission.list("ipRanges", List.of(rule.cidr()), (range, cidr) -> {
                range.put("cidrIp", cidr);
                if (!description.isEmpty()) {
                    range.put("description", description);
                }
            });
        }
    }
}
