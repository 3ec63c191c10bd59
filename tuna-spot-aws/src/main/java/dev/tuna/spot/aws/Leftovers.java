package dev.tuna.spot.aws;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.Volume;

/**
 * What machines leave in a region, whatever they were for.
 *
 * @param clients the SDK's
 * @param region where
 */
record Leftovers(AwsClients clients, String region) {

    private AwsCalls calls() {
        return new AwsCalls(region);
    }

    /** Volumes go with their machines; one that is left was let go of in between. */
    void removeVolumes(Filter owner, Filter whose) {
        List<String> left = calls().call(
                        "list volumes",
                        "ec2:DescribeVolumes",
                        () -> clients
                                .ec2(region)
                                .describeVolumesPaginator(request ->
                                        request.filters(owner, whose, Networks.filter("status", "available")))
                                .volumes()
                                .stream()
                                .map(Volume::volumeId)
                                .toList());
        left.forEach(id -> calls().unless(
                        AwsFault.NOT_FOUND,
                        "delete volume",
                        "ec2:DeleteVolume",
                        () -> clients.ec2(region).deleteVolume(request -> request.volumeId(id))));
    }

    List<SecurityGroup> groups(String name, Filter owner) {
        return calls().call(
                        "look for security group",
                        "ec2:DescribeSecurityGroups",
                        () -> clients.ec2(region)
                                .describeSecurityGroups(
                                        request -> request.filters(Networks.filter("group-name", name), owner))
                                .securityGroups());
    }

    /** Whether it is gone: not while a machine that ends still uses it. */
    boolean removed(SecurityGroup group) {
        Optional<AwsFault> fault = calls().unlessAny(
                        Set.of(AwsFault.IN_USE, AwsFault.NOT_FOUND),
                        "delete security group",
                        "ec2:DeleteSecurityGroup",
                        () -> clients.ec2(region).deleteSecurityGroup(request -> request.groupId(group.groupId())));
        return fault.filter(AwsFault.IN_USE::equals).isEmpty();
    }
}
