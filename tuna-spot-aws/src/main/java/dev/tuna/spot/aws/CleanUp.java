package dev.tuna.spot.aws;

import dev.tuna.spi.Journal;
import dev.tuna.spi.ResourceRef;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;

/**
 * Removes from a region what was made for a deployment beside its replicas, and replicas that nobody knew of. What cannot go yet,
 * since something is still using it, stays in the journal and goes the next time. Keeps nothing; thread-safe.
 *
 * @param clients the SDK's
 * @param inventory looks for what is there
 * @param journal where helpers are declared
 * @param ownerId the installation
 * @param deployment the deployment's name
 * @param region where
 */
record CleanUp(
        AwsClients clients, Inventory inventory, Journal journal, String ownerId, String deployment, String region) {

    private static final Logger LOG = LoggerFactory.getLogger(CleanUp.class);

    private AwsCalls calls() {
        return new AwsCalls(region);
    }

    void run() {
        List<Instance> machines = inventory.ofDeployment(region, deployment);
        List<String> living = machines.stream()
                .filter(Instances::lives)
                .map(Instance::instanceId)
                .toList();
        if (!living.isEmpty()) {
            LOG.warn("{}: {} in {} were not known to be there and are ended", deployment, living, region);
            inventory.terminate(region, living);
        }
        Set<ResourceRef> declared = Set.copyOf(journal.open(deployment));
        fleets(declared, machines);
        template();
        leftovers().removeVolumes(owner(), whose());
        group();
    }

    private void fleets(Set<ResourceRef> declared, List<Instance> machines) {
        List<ResourceRef> here = declared.stream()
                .filter(ref -> ref.kind().equals(Names.FLEET))
                .filter(ref -> Names.region(ref).filter(region::equals).isPresent())
                .toList();
        // Tags show late what was made a moment ago: what is remembered, and what machines say, counts too.
        Set<String> ids = new TreeSet<>(inventory.fleetIds(here));
        machines.forEach(
                machine -> Instances.tag(machine, Names.FLEET_OF_INSTANCE).ifPresent(ids::add));
        inventory.fleets(region, List.of(owner(), whose())).forEach(fleet -> ids.add(fleet.fleetId()));
        if (inventory.deleteFleets(region, List.copyOf(ids))) {
            // Those that were declared and are not shown were not made, or are gone already.
            here.forEach(journal::gone);
        }
    }

    private void template() {
        String name = Names.shared(ownerId, deployment);
        calls().end(
                        "delete launch template",
                        "ec2:DeleteLaunchTemplate",
                        () -> clients.ec2(region).deleteLaunchTemplate(request -> request.launchTemplateName(name)),
                        () -> isThere(name));
        journal.gone(Names.ref(Names.TEMPLATE, region, name));
    }

    private boolean isThere(String template) {
        return !calls().call(
                        "list launch templates",
                        "ec2:DescribeLaunchTemplates",
                        () -> clients.ec2(region)
                                .describeLaunchTemplates(
                                        request -> request.filters(Networks.filter("launch-template-name", template)))
                                .launchTemplates())
                .isEmpty();
    }

    private void group() {
        String name = Names.shared(ownerId, deployment);
        boolean removed = true;
        for (SecurityGroup group : leftovers().groups(name, owner())) {
            removed &= removed(group);
        }
        if (removed) {
            journal.gone(Names.ref(Names.GROUP, region, name));
        }
    }

    private boolean removed(SecurityGroup group) {
        boolean removed = leftovers().removed(group);
        if (!removed) {
            LOG.debug(
                    "{}: security group {} is still used by a machine that ends, and goes later",
                    deployment,
                    group.groupId());
        }
        return removed;
    }

    private Leftovers leftovers() {
        return new Leftovers(clients, region);
    }

    private Filter owner() {
        return Networks.filter("tag:" + Names.OWNER, ownerId);
    }

    private Filter whose() {
        return Networks.filter("tag:" + Names.DEPLOYMENT, deployment);
    }
}
