package dev.tuna.spot.aws;

import dev.tuna.api.TunaException;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ResourceRef;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.model.Instance;

/**
 * Looks at replicas: what EC2 shows of them, and what they say of themselves. A region that EC2 does not answer for holds up no
 * other one, and its machines are spoken to all the same: one that nobody speaks to ends itself. Thread-safe.
 */
final class ReplicaWatch {

    private static final Logger LOG = LoggerFactory.getLogger(ReplicaWatch.class);

    private final Inventory inventory;
    private final ReplicaLink link;
    private final Atlas atlas;
    private final HostIngress ingress;
    private final Executor background;
    private final Consumer<ResourceRef> gone;
    /** Regions that EC2 did not answer for when it was asked last. */
    private final Set<String> mute = ConcurrentHashMap.newKeySet();

    /**
     * Looks at nothing yet.
     *
     * @param gone told of replicas that are gone, as often as they are looked at
     */
    ReplicaWatch(
            Inventory inventory,
            ReplicaLink link,
            Atlas atlas,
            HostIngress ingress,
            Executor background,
            Consumer<ResourceRef> gone) {
        this.inventory = inventory;
        this.link = link;
        this.atlas = atlas;
        this.ingress = ingress;
        this.background = background;
        this.gone = gone;
    }

    /** What EC2 shows of the replicas of a region, or else what it showed last. */
    private record Shown(
            String region,
            Set<ResourceRef> replicas,
            Map<ResourceRef, Instance> instances,
            Map<String, Instant> ends,
            Optional<TunaException> failure) {}

    /**
     * Looks at replicas.
     *
     * @return one observation for each
     * @throws TunaException if EC2 does not answer for one that does not answer itself either; all others have been looked at
     */
    Map<ResourceRef, ReplicaObservation> observe(Collection<ResourceRef> replicas) {
        Map<String, Set<ResourceRef>> byRegion = new TreeMap<>();
        for (ResourceRef replica : replicas) {
            byRegion.computeIfAbsent(Names.region(replica).orElseThrow(), made -> new TreeSet<>(Names.ORDER))
                    .add(replica);
        }
        List<Shown> regions =
                atlas.atOnce(List.copyOf(byRegion.entrySet()), region -> show(region.getKey(), region.getValue()));
        Map<ResourceRef, ReplicaObservation> observations = new HashMap<>();
        atlas.atOnce(regions.stream().flatMap(ReplicaWatch::each).toList(), this::observation)
                .forEach(seen -> seen.observation().ifPresent(told -> observations.put(seen.replica(), told)));
        regions.stream().filter(shown -> shown.failure().isEmpty()).forEach(this::letIn);
        regions.stream()
                .filter(shown -> !observations.keySet().containsAll(shown.replicas()))
                .flatMap(shown -> shown.failure().stream())
                .findFirst()
                .ifPresent(failure -> {
                    throw failure;
                });
        return observations;
    }

    private Shown show(String region, Set<ResourceRef> replicas) {
        try {
            Map<ResourceRef, Instance> instances = inventory.instances(region, replicas);
            Map<String, Instant> ends = inventory.ends(
                    region,
                    instances.values().stream().filter(Instances::isGone).toList());
            if (mute.remove(region)) {
                LOG.info("EC2 answers again in {}", region);
            }
            return new Shown(region, replicas, instances, ends, Optional.empty());
        } catch (TunaException e) {
            if (mute.add(region)) {
                LOG.warn("machines in {} are asked themselves only, EC2 does not tell: {}", region, e.getMessage());
            }
            return new Shown(region, replicas, inventory.lastSeen(replicas), Map.of(), Optional.of(e));
        }
    }

    private record One(Shown shown, ResourceRef replica) {}

    private record Seen(ResourceRef replica, Optional<ReplicaObservation> observation) {}

    private static Stream<One> each(Shown shown) {
        return shown.replicas().stream().map(replica -> new One(shown, replica));
    }

    private Seen observation(One one) {
        Optional<Instance> instance =
                Optional.ofNullable(one.shown().instances().get(one.replica()));
        return new Seen(
                one.replica(),
                one.shown().failure().isPresent()
                        ? instance.flatMap(known -> told(one.shown().region(), known))
                        : Optional.of(instance.map(there -> shown(one, there)).orElseGet(() -> unseen(one.replica()))));
    }

    private ReplicaObservation shown(One one, Instance instance) {
        String region = one.shown().region();
        if (Instances.isGone(instance)) {
            gone.accept(one.replica());
            Instances.tag(instance, Names.DEPLOYMENT)
                    .ifPresent(deployment ->
                            Instances.tag(instance, Names.REPLICA).ifPresent(token -> link.forget(deployment, token)));
        }
        return observation(
                region,
                instance,
                look(region, instance),
                Optional.ofNullable(one.shown().ends().get(instance.instanceId())));
    }

    /** By what it says of itself, which it says only as long as it is there. */
    private Optional<ReplicaObservation> told(String region, Instance known) {
        Optional<ReplicaLink.Report> report = look(region, known);
        return report.isEmpty() || link.isSilent(known.instanceId())
                ? Optional.empty()
                : Optional.of(observation(region, known, report, Optional.empty()));
    }

    private Optional<ReplicaLink.Report> look(String region, Instance instance) {
        return Instances.isRunning(instance)
                ? Instances.machine(region, instance).flatMap(link::look)
                : Optional.empty();
    }

    private ReplicaObservation observation(
            String region, Instance instance, Optional<ReplicaLink.Report> report, Optional<Instant> endedAt) {
        return Instances.observation(
                region, instance, report, endedAt, atlas.view(region).usdPerHour(Instances.pool(region, instance)));
    }

    /** What was launched a moment ago may not be shown yet, what ended an hour ago not any more. */
    ReplicaObservation unseen(ResourceRef replica) {
        if (inventory.maySettle(replica)) {
            return Instances.requested();
        }
        gone.accept(replica);
        return ReplicaObservation.gone();
    }

    /** Perhaps it is this host that cannot be let in; nobody waits until that is known. */
    private void letIn(Shown shown) {
        shown.instances().values().stream()
                .filter(instance -> Instances.isRunning(instance) && link.isSilent(instance.instanceId()))
                .flatMap(instance -> Instances.tag(instance, Names.DEPLOYMENT).stream())
                .distinct()
                .forEach(deployment -> background.execute(() -> ingress.check(shown.region(), deployment)));
    }
}
