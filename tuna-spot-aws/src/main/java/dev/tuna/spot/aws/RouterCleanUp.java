package dev.tuna.spot.aws;

import dev.tuna.spi.FoundRouterVm;
import dev.tuna.spi.Journal;
import dev.tuna.spi.ResourceRef;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.Volume;

/**
 * Removes from a region what was made for a router's machine beside it, whoever made it. What cannot go yet, since something is
 * still using it, stays in the journal and goes the next time. Keeps nothing; thread-safe.
 *
 * @param clients the SDK's
 * @param inventory looks for what is there
 * @param journal where what is made is declared
 * @param jars removes jars
 * @param vm the machine
 * @param region where
 */
record RouterCleanUp(
        AwsClients clients, Inventory inventory, Journal journal, RouterJars jars, FoundRouterVm vm, String region) {

    private static final Logger LOG = LoggerFactory.getLogger(RouterCleanUp.class);

    private AwsCalls calls() {
        return new AwsCalls(region);
    }

    /**
     * Removes.
     *
     * @param declared what the journal has, which may be in other regions too
     * @return whether nothing is left
     */
    boolean run(List<ResourceRef> declared) {
        List<Instance> machines = inventory.routers(region, vm.ownerId(), vm.name());
        Optional<Instance> living = machines.stream().filter(Instances::lives).findFirst();
        if (living.isPresent()) {
            LOG.warn(
                    "router VM {}: {} still runs by that name, and what belongs to it stays",
                    vm.name(),
                    living.get().instanceId());
            return false;
        }
        List<SecurityGroup> groups = groups();
        Set<String> buckets = new TreeSet<>();
        machines.forEach(machine -> Instances.tag(machine, Names.BUCKET).ifPresent(buckets::add));
        groups.forEach(group -> bucket(group).ifPresent(buckets::add));
        List<ResourceRef> here = declared.stream()
                .filter(ref -> Names.region(ref).filter(region::equals).isPresent())
                .toList();
        here.stream()
                .filter(ref -> ref.kind().equals(Names.JARS))
                .map(RouterJars::bucket)
                .forEach(buckets::add);
        buckets.forEach(bucket -> jars.remove(region, bucket, vm.ownerId(), vm.name()));
        new RouterAccess.Parameters(clients, region).remove(Names.routerParameter(vm.ownerId(), vm.name()));
        here.stream().filter(ref -> !ref.kind().equals(Names.GROUP)).forEach(journal::gone);
        volumes();
        boolean removed = true;
        for (SecurityGroup group : groups) {
            removed &= removed(group.groupId());
        }
        if (removed) {
            here.forEach(journal::gone);
        }
        return removed;
    }

    private static Optional<String> bucket(SecurityGroup group) {
        return group.tags().stream()
                .filter(tag -> tag.key().equals(Names.BUCKET))
                .map(Tag::value)
                .findFirst();
    }

    private List<SecurityGroup> groups() {
        return calls().call(
                        "look for security group",
                        "ec2:DescribeSecurityGroups",
                        () -> clients.ec2(region)
                                .describeSecurityGroups(request -> request.filters(
                                        Networks.filter("group-name", Names.routerGroup(vm.ownerId(), vm.name())),
                                        Networks.filter("tag:" + Names.OWNER, vm.ownerId())))
                                .securityGroups());
    }

    /** They go with their machine; one that is left was let go of in between. */
    private void volumes() {
        List<String> left = calls().call(
                        "list volumes",
                        "ec2:DescribeVolumes",
                        () -> clients
                                .ec2(region)
                                .describeVolumesPaginator(request -> request.filters(
                                        Networks.filter("tag:" + Names.OWNER, vm.ownerId()),
                                        Networks.filter("tag:" + Names.ROUTER_NAME, vm.name()),
                                        Networks.filter("status", "available")))
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

    private boolean removed(String id) {
        Optional<AwsFault> fault = calls().unlessAny(
                        Set.of(AwsFault.IN_USE, AwsFault.NOT_FOUND),
                        "delete security group",
                        "ec2:DeleteSecurityGroup",
                        () -> clients.ec2(region).deleteSecurityGroup(request -> request.groupId(id)));
        return fault.filter(AwsFault.IN_USE::equals).isEmpty();
    }
}
