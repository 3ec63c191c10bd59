package dev.tuna.spot.aws;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupIngressRequest;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;

/**
 * Who may connect to machines, as their security group says. Keeps nothing; thread-safe.
 *
 * @param clients the SDK's
 * @param region where
 */
record IngressRules(AwsClients clients, String region) {

    /** So a rule is described that is for the address this host is seen from: it goes when another one takes its place. */
    static final String HOST = "the host of Tuna";

    private AwsCalls calls() {
        return new AwsCalls(region);
    }

    List<SecurityGroup> find(Filter... filters) {
        return calls().call(
                        "look for security group",
                        "ec2:DescribeSecurityGroups",
                        () -> clients.ec2(region)
                                .describeSecurityGroups(request -> request.filters(filters))
                                .securityGroups());
    }

    /** A rule at a time: one that is there already would keep others of the same call from being made. */
    void open(JsonNode body) {
        for (JsonNode permission : body.path("IpPermissions")) {
            ObjectNode one = SdkJson.JSON.createObjectNode();
            one.set("GroupId", body.path("GroupId"));
            one.putArray("IpPermissions").add(permission);
            authorize(SdkJson.fill(AuthorizeSecurityGroupIngressRequest.builder(), one)
                    .build());
        }
    }

    private void authorize(AuthorizeSecurityGroupIngressRequest request) {
        calls().about(new AwsCalls.Fresh("InvalidGroup", request.groupId()))
                .unless(
                        AwsFault.EXISTS,
                        "open security group",
                        "ec2:AuthorizeSecurityGroupIngress",
                        () -> clients.ec2(region).authorizeSecurityGroupIngress(request));
    }

    /** Whether it is open to this host by its address, and to another one than it is seen from now. */
    static boolean isOfAnotherHost(SecurityGroup group, String cidr) {
        return group.ipPermissions().stream().anyMatch(permission -> hasStale(permission, cidr));
    }

    private static boolean hasStale(IpPermission permission, String cidr) {
        return permission.ipRanges().stream().anyMatch(stale(cidr));
    }

    private static Predicate<IpRange> stale(String cidr) {
        return range -> HOST.equals(range.description()) && !cidr.equals(range.cidrIp());
    }

    /** Opens to an address what was open to the host's others. */
    void open(SecurityGroup group, String cidr) {
        for (IpPermission permission : group.ipPermissions()) {
            if (hasStale(permission, cidr)) {
                authorize(AuthorizeSecurityGroupIngressRequest.builder()
                        .groupId(group.groupId())
                        .ipPermissions(of(
                                permission,
                                IpRange.builder().cidrIp(cidr).description(HOST).build()))
                        .build());
            }
        }
    }

    /** Closes what is open to other addresses of the host than this one. */
    void closeOthers(SecurityGroup group, String cidr) {
        for (IpPermission permission : group.ipPermissions()) {
            IpRange[] old = permission.ipRanges().stream()
                    .filter(stale(cidr))
                    .map(range -> IpRange.builder().cidrIp(range.cidrIp()).build())
                    .toArray(IpRange[]::new);
            if (old.length > 0) {
                calls().unlessAny(
                                Set.of(AwsFault.NOT_FOUND),
                                "close security group",
                                "ec2:RevokeSecurityGroupIngress",
                                () -> clients.ec2(region)
                                        .revokeSecurityGroupIngress(request ->
                                                request.groupId(group.groupId()).ipPermissions(of(permission, old))));
            }
        }
    }

    private static IpPermission of(IpPermission permission, IpRange... ranges) {
        return IpPermission.builder()
                .ipProtocol(permission.ipProtocol())
                .fromPort(permission.fromPort())
                .toPort(permission.toPort())
                .ipRanges(ranges)
                .build();
    }
}
