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
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.Tag;

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
        var leftovers = new Leftovers(clients, region);
        Filter owner = Networks.filter("tag:" + Names.OWNER, vm.ownerId());
        List<SecurityGroup> groups = leftovers.groups(Names.routerGroup(vm.ownerId(), vm.name()), owner);
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
        here.stream()
                .filter(ref -> !Set.of(Names.GROUP, Names.ACCOUNT).contains(ref.kind()))
                .forEach(journal::gone);
        leftovers.removeVolumes(owner, Networks.filter("tag:" + Names.ROUTER_NAME, vm.name()));
        boolean removed = true;
        for (SecurityGroup group : groups) {
            removed &= leftovers.removed(group);
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
}
