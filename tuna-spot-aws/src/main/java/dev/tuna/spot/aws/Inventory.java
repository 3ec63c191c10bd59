package dev.tuna.spot.aws;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.TunaException;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.ResourceRef;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.model.DeleteFleetErrorCode;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.FleetData;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.Reservation;
import software.amazon.awssdk.services.ec2.model.SpotInstanceRequest;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagDescription;

/** Looks for what is there, by ids and by owner tags, and ends it. Thread-safe. */
final class Inventory {

    /** How long EC2 may not show what it has just made. */
    static final Duration SETTLING = Duration.ofMinutes(2);

    /** So many instant fleets can be removed with one call. */
    static final int FLEETS_AT_ONCE = 25;

    private static final Logger LOG = LoggerFactory.getLogger(Inventory.class);

    private static final int VALUES_OF_A_FILTER = 200;

    private final AwsClients clients;
    private final String ownerId;
    private final InstantSource clock;
    private final Instant openedAt;
    /** What this object launched, to when it did. */
    private final Map<ResourceRef, Instant> launchedAt = new ConcurrentHashMap<>();

    /** Instances that were looked at and not gone, as EC2 showed them last. */
    private final Map<ResourceRef, Instance> lastSeen = new ConcurrentHashMap<>();

    private final Set<String> regionsUsed = ConcurrentHashMap.newKeySet();
    private final Map<ResourceRef, String> fleetIds = new ConcurrentHashMap<>();

    Inventory(AwsClients clients, String ownerId, InstantSource clock) {
        this.clients = clients;
        this.ownerId = ownerId;
        this.clock = clock;
        this.openedAt = clock.instant();
    }

    private static AwsCalls calls(String region) {
        return new AwsCalls(region);
    }

    private static Filter filter(String name, Collection<String> values) {
        return Filter.builder().name(name).values(values).build();
    }

    private static Filter tagged(String key, String value) {
        return Networks.filter("tag:" + key, value);
    }

    /** Notes a fresh launch, which EC2 may not show at once. */
    void launched(ResourceRef replica) {
        launchedAt.put(replica, clock.instant());
        Names.region(replica).ifPresent(regionsUsed::add);
    }

    /** Forgets a launch of what is gone. */
    void forget(ResourceRef replica) {
        launchedAt.remove(replica);
    }

    void used(String region) {
        regionsUsed.add(region);
    }

    /** Regions in which this object made or saw something. */
    Set<String> regionsUsed() {
        return new TreeSet<>(regionsUsed);
    }

    /** Whether something that EC2 does not show may be there all the same. */
    boolean maySettle(ResourceRef replica) {
        Instant since = launchedAt.getOrDefault(replica, openedAt);
        return clock.instant().isBefore(since.plus(SETTLING));
    }

    /** Instances by their references; those that EC2 does not show are missing. */
    Map<ResourceRef, Instance> instances(String region, Collection<ResourceRef> refs) {
        used(region);
        Map<ResourceRef, Instance> found = new HashMap<>();
        List<String> ids = refs.stream().map(Names::id).distinct().toList();
        for (int from = 0; from < ids.size(); from += VALUES_OF_A_FILTER) {
            List<String> some = ids.subList(from, Math.min(ids.size(), from + VALUES_OF_A_FILTER));
            describe(region, List.of(filter("instance-id", some)))
                    .forEach(instance -> found.put(ref(region, instance), instance));
        }
        for (ResourceRef ref : refs) {
            Instance instance = found.get(ref);
            if (instance == null || Instances.isGone(instance)) {
                lastSeen.remove(ref);
            } else {
                lastSeen.put(ref, instance);
            }
        }
        return found;
    }

    /** Instances as {@link #instances} showed them last; without those that it has not shown, or shown as gone. */
    Map<ResourceRef, Instance> lastSeen(Collection<ResourceRef> refs) {
        Map<ResourceRef, Instance> known = new HashMap<>(lastSeen);
        known.keySet().retainAll(refs);
        return known;
    }

    private List<Instance> describe(String region, List<Filter> filters) {
        return calls(region)
                .call(
                        "list instances",
                        "ec2:DescribeInstances",
                        () -> clients
                                .ec2(region)
                                .describeInstancesPaginator(request -> request.filters(filters))
                                .reservations()
                                .stream()
                                .map(Reservation::instances)
                                .flatMap(List::stream)
                                .toList());
    }

    private static ResourceRef ref(String region, Instance instance) {
        return Names.ref(Names.INSTANCE, region, instance.instanceId());
    }

    /**
     * The machine that was launched for a token of this installation, a live one if there is any. Should there be two, the
     * younger one is ended.
     */
    Optional<ResourceRef> byToken(Set<String> regions, String token) {
        return byToken(regions, token, (region, failure) -> {
            throw failure;
        });
    }

    /**
     * The same.
     *
     * @param failed is told of regions that cannot be asked, with why; what it throws ends the search
     */
    Optional<ResourceRef> byToken(Set<String> regions, String token, BiConsumer<String, TunaException> failed) {
        return byTag(regions, Names.REPLICA, token, failed).map(found -> ref(found.getKey(), found.getValue()));
    }

    /** The same for the machine of a router. */
    Optional<ResourceRef> routerByToken(String region, String token) {
        return byTag(Set.of(region), Names.ROUTER_TOKEN, token, (same, failure) -> {
                    throw failure;
                })
                .map(found ->
                        Names.ref(Names.ROUTER_VM, region, found.getValue().instanceId()));
    }

    private Optional<Map.Entry<String, Instance>> byTag(
            Set<String> regions, String key, String token, BiConsumer<String, TunaException> failed) {
        List<Map.Entry<String, Instance>> found = new ArrayList<>();
        for (String region : regions) {
            try {
                describe(region, List.of(tagged(Names.OWNER, ownerId), tagged(key, token)))
                        .forEach(instance -> found.add(Map.entry(region, instance)));
            } catch (TunaException e) {
                failed.accept(region, e);
            }
        }
        found.sort(Comparator.comparing((Map.Entry<String, Instance> each) -> !Instances.lives(each.getValue()))
                .thenComparing(each ->
                        Optional.ofNullable(each.getValue().launchTime()).orElse(Instant.MAX)));
        found.stream().skip(1).filter(each -> Instances.lives(each.getValue())).forEach(each -> {
            LOG.warn(
                    "{} was launched twice: {} is ended", token, each.getValue().instanceId());
            terminate(each.getKey(), List.of(each.getValue().instanceId()));
        });
        return found.stream().findFirst();
    }

    /** One instance by its id; empty if EC2 does not show it. */
    Optional<Instance> instance(String region, String id) {
        used(region);
        return describe(region, List.of(filter("instance-id", List.of(id)))).stream()
                .findFirst();
    }

    /** The machines of routers in a region, whoever's, ended ones included that EC2 still shows. */
    List<Instance> routers(String region) {
        return describe(region, List.of(Networks.filter("tag-key", Names.ROUTER_NAME)));
    }

    /** Those of one name of one installation. */
    List<Instance> routers(String region, String owner, String name) {
        return describe(region, List.of(tagged(Names.OWNER, owner), tagged(Names.ROUTER_NAME, name)));
    }

    /** Ends instances; those that are not there are fine. */
    void terminate(String region, List<String> ids) {
        used(region);
        calls(region)
                .end(
                        "terminate instances",
                        "ec2:TerminateInstances",
                        () -> clients.ec2(region).terminateInstances(request -> request.instanceIds(ids)),
                        () -> describe(region, List.of(filter("instance-id", ids))).stream()
                                .anyMatch(instance -> !Instances.isGone(instance)));
    }

    /** When an instance ended: in words, or else with the request that it was made for. */
    Map<String, Instant> ends(String region, Collection<Instance> gone) {
        Map<String, Instant> ends = new HashMap<>();
        Map<String, String> requests = new LinkedHashMap<>();
        for (Instance instance : gone) {
            Optional<Instant> told = Instances.endedAt(instance);
            if (told.isPresent()) {
                ends.put(instance.instanceId(), told.get());
            } else if (instance.spotInstanceRequestId() != null
                    && !instance.spotInstanceRequestId().isEmpty()) {
                requests.put(instance.spotInstanceRequestId(), instance.instanceId());
            }
        }
        if (!requests.isEmpty()) {
            spotRequests(region, List.copyOf(requests.keySet()))
                    .filter(request ->
                            request.status() != null && request.status().updateTime() != null)
                    .forEach(request -> Optional.ofNullable(requests.get(request.spotInstanceRequestId()))
                            .ifPresent(instance ->
                                    ends.put(instance, request.status().updateTime())));
        }
        return ends;
    }

    private Stream<SpotInstanceRequest> spotRequests(String region, List<String> ids) {
        return calls(region)
                .call(
                        "list spot requests",
                        "ec2:DescribeSpotInstanceRequests",
                        () -> clients
                                .ec2(region)
                                .describeSpotInstanceRequests(
                                        request -> request.filters(filter("spot-instance-request-id", ids)))
                                .spotInstanceRequests()
                                .stream());
    }

    /** Regions that the account can use. */
    List<String> regions(String home) {
        return calls(home)
                .call(
                        "list regions",
                        "ec2:DescribeRegions",
                        () -> clients.ec2(home).describeRegions(request -> {}).regions().stream()
                                .map(region -> region.regionName())
                                .sorted()
                                .toList());
    }

    /** Whether anything at all carries an owner tag in a region. */
    boolean hasAny(String region) {
        return !tags(region, List.of(Networks.filter("key", Names.OWNER))).isEmpty();
    }

    private List<TagDescription> tags(String region, List<Filter> filters) {
        return calls(region)
                .call(
                        "list tags",
                        "ec2:DescribeTags",
                        () ->
                                clients
                                        .ec2(region)
                                        .describeTagsPaginator(request -> request.filters(filters))
                                        .tags()
                                        .stream()
                                        .toList());
    }

    /** Everything in a region that carries an owner tag, whoever's. */
    List<FoundResource> find(String region) {
        List<FoundResource> found = new ArrayList<>();
        Filter owned = Networks.filter("tag-key", Names.OWNER);
        describe(region, List.of(owned)).stream()
                .filter(instance -> !Instances.isGone(instance))
                .forEach(instance -> add(
                        found,
                        Instances.tag(instance, Names.ROUTER_NAME).isPresent()
                                ? Names.ref(Names.ROUTER_VM, region, instance.instanceId())
                                : ref(region, instance),
                        instance.tags(),
                        Optional.ofNullable(instance.launchTime())));
        fleets(region, List.of(Networks.filter("key", Names.OWNER)))
                .forEach(fleet -> add(
                        found,
                        Names.ref(Names.FLEET, region, fleet.clientToken()),
                        fleet.tags(),
                        Optional.ofNullable(fleet.createTime())));
        calls(region)
                .call(
                        "list launch templates",
                        "ec2:DescribeLaunchTemplates",
                        () -> clients
                                .ec2(region)
                                .describeLaunchTemplatesPaginator(request -> request.filters(owned))
                                .launchTemplates()
                                .stream()
                                .toList())
                .forEach(template -> add(
                        found,
                        Names.ref(Names.TEMPLATE, region, template.launchTemplateName()),
                        template.tags(),
                        Optional.ofNullable(template.createTime())));
        calls(region)
                .call(
                        "list security groups",
                        "ec2:DescribeSecurityGroups",
                        () -> clients
                                .ec2(region)
                                .describeSecurityGroupsPaginator(request -> request.filters(owned))
                                .securityGroups()
                                .stream()
                                .toList())
                .forEach(group ->
                        add(found, Names.ref(Names.GROUP, region, group.groupName()), group.tags(), Optional.empty()));
        // A volume in use goes with its machine.
        calls(region)
                .call(
                        "list volumes",
                        "ec2:DescribeVolumes",
                        () -> clients
                                .ec2(region)
                                .describeVolumesPaginator(
                                        request -> request.filters(owned, Networks.filter("status", "available")))
                                .volumes()
                                .stream()
                                .toList())
                .forEach(volume -> add(
                        found,
                        Names.ref(Names.VOLUME, region, volume.volumeId()),
                        volume.tags(),
                        Optional.ofNullable(volume.createTime())));
        return found;
    }

    private static void add(
            List<FoundResource> found, ResourceRef resource, List<Tag> tags, Optional<Instant> createdAt) {
        String owner = value(tags, Names.OWNER);
        String router = value(tags, Names.ROUTER_NAME);
        if (!owner.isEmpty()) {
            found.add(new FoundResource(
                    resource,
                    owner,
                    router.isEmpty() ? value(tags, Names.DEPLOYMENT) : Names.routerAccount(router),
                    createdAt));
        }
    }

    private static String value(List<Tag> tags, String key) {
        return tags.stream()
                .filter(tag -> tag.key().equals(key))
                .map(Tag::value)
                .findFirst()
                .orElse("");
    }

    /** Fleets by their tags: EC2 shows instant ones only to whoever names them. */
    List<FleetData> fleets(String region, List<Filter> filters) {
        List<Filter> all = new ArrayList<>(filters);
        all.add(Networks.filter("resource-type", "fleet"));
        List<String> ids = tags(region, all).stream()
                .map(TagDescription::resourceId)
                .distinct()
                .toList();
        List<FleetData> fleets = new ArrayList<>();
        for (int from = 0; from < ids.size(); from += FLEETS_AT_ONCE) {
            fleets.addAll(describeFleets(region, ids.subList(from, Math.min(ids.size(), from + FLEETS_AT_ONCE))));
        }
        return live(fleets).toList();
    }

    /** One that is forgotten already keeps the others of its call from being shown. */
    private List<FleetData> describeFleets(String region, List<String> ids) {
        Optional<List<FleetData>> shown = calls(region)
                .unless(
                        AwsFault.NOT_FOUND,
                        "list fleets",
                        "ec2:DescribeFleets",
                        () -> clients.ec2(region)
                                .describeFleets(request -> request.fleetIds(ids))
                                .fleets());
        if (shown.isPresent() || ids.size() == 1) {
            return shown.orElse(List.of());
        }
        return ids.stream()
                .flatMap(id -> describeFleets(region, List.of(id)).stream())
                .toList();
    }

    /**
     * Removes fleets, and whatever of them still runs.
     *
     * @return whether all of them are gone, or on their way
     */
    boolean deleteFleets(String region, List<String> ids) {
        boolean all = true;
        for (int from = 0; from < ids.size(); from += FLEETS_AT_ONCE) {
            all &= deleteSomeFleets(region, ids.subList(from, Math.min(ids.size(), from + FLEETS_AT_ONCE)));
        }
        return all;
    }

    private boolean deleteSomeFleets(String region, List<String> ids) {
        try {
            return calls(region)
                    .unless(
                            AwsFault.NOT_FOUND,
                            "delete fleets",
                            "ec2:DeleteFleets",
                            () -> clients
                                    .ec2(region)
                                    .deleteFleets(
                                            request -> request.fleetIds(ids).terminateInstances(true))
                                    .unsuccessfulFleetDeletions()
                                    .stream()
                                    .filter(failed -> failed.error() != null
                                            && failed.error().code() == DeleteFleetErrorCode.UNEXPECTED_ERROR)
                                    .toList())
                    .filter(failures -> !failures.isEmpty())
                    .isEmpty();
        } catch (ProviderException e) {
            // One that is not there has no owner's tag: nobody may delete it, nor the others along with it.
            List<String> there = e.code() == ErrorCode.CREDENTIALS
                    ? live(describeFleets(region, ids)).map(FleetData::fleetId).toList()
                    : ids;
            if (there.size() == ids.size()) {
                throw e;
            }
            return there.isEmpty() || deleteSomeFleets(region, there);
        }
    }

    private static Stream<FleetData> live(List<FleetData> fleets) {
        return fleets.stream()
                .filter(fleet -> !String.valueOf(fleet.fleetStateAsString()).startsWith("deleted"));
    }

    /** Notes which fleet was made. */
    void made(ResourceRef fleet, String id) {
        fleetIds.put(fleet, id);
    }

    /** Ids of those fleets that this object made. */
    List<String> fleetIds(Collection<ResourceRef> fleets) {
        return fleets.stream()
                .flatMap(fleet -> Optional.ofNullable(fleetIds.get(fleet)).stream())
                .toList();
    }

    /** Forgets a deployment's fleets. */
    void forget(Collection<ResourceRef> fleets) {
        fleetIds.keySet().removeAll(fleets);
    }

    /** Machines of a deployment of this installation, those too that are gone and that EC2 still shows. */
    List<Instance> ofDeployment(String region, String deployment) {
        return describe(region, List.of(tagged(Names.OWNER, ownerId), tagged(Names.DEPLOYMENT, deployment)));
    }
}
