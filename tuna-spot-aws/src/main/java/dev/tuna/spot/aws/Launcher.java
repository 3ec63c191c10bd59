package dev.tuna.spot.aws;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.CapacityException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Tier;
import dev.tuna.api.TunaException;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ResourceRef;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.model.CreateFleetError;
import software.amazon.awssdk.services.ec2.model.CreateFleetRequest;
import software.amazon.awssdk.services.ec2.model.CreateFleetResponse;
import software.amazon.awssdk.services.ec2.model.CreateLaunchTemplateVersionRequest;
import software.amazon.awssdk.services.ec2.model.FleetLaunchTemplateOverrides;

/**
 * Launches replicas. A launch that is sent again, after a crash too, ends in the same machine: every request carries a token
 * made of the replica's, and what carries the replica's tag already is taken for it. Thread-safe.
 */
final class Launcher {

    private static final Logger LOG = LoggerFactory.getLogger(Launcher.class);

    /** A replica that was refused so often has a token of its own long since. */
    private static final int MOST_REFUSALS = 64;

    /** Launches that may still be tried again are fewer. */
    private static final int REMEMBERED = 1024;

    /** The template and its version are made right before they are used. */
    private static final AwsCalls.Fresh TEMPLATE = new AwsCalls.Fresh("InvalidLaunchTemplate", "");

    private final ProviderContext context;
    private final AwsClients clients;
    private final Inventory inventory;
    private final ReplicaLink link;
    private final Supplier<String> host;
    private final Stripes replicas = new Stripes();
    private final Stripes deployments = new Stripes();
    /** Replica's token to what was launched for it by this object. */
    private final Map<String, ResourceRef> launched = new ConcurrentHashMap<>();
    /** Fleet's token to how often EC2 has said for good that it made nothing; the latest ones. */
    private final Map<String, Integer> refusals = Collections.synchronizedMap(new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Integer> eldest) {
            return size() > REMEMBERED;
        }
    });
    /** Pools that are not sold, as EC2 said when asked for a machine. */
    private final Set<CapacityPool> notSold = ConcurrentHashMap.newKeySet();

    Launcher(
            ProviderContext context, AwsClients clients, Inventory inventory, ReplicaLink link, Supplier<String> host) {
        this.context = context;
        this.clients = clients;
        this.inventory = inventory;
        this.link = link;
        this.host = host;
    }

    boolean isSold(CapacityPool pool) {
        return !notSold.contains(pool);
    }

    ResourceRef launch(LaunchPlan plan) {
        FleetPlan wanted = FleetPlan.read(plan.body());
        return replicas.alone(plan.token(), () -> {
            ResourceRef known = launched.get(plan.token());
            if (known == null) {
                Map<String, TunaException> unseen = new TreeMap<>();
                known = existing(plan, wanted, unseen).orElseGet(() -> ask(plan, wanted, unseen));
                launched.put(plan.token(), known);
            }
            return known;
        });
    }

    /**
     * What was launched for a token before.
     *
     * @param refused takes regions that cannot be asked and in which nothing was launched for it
     */
    private Optional<ResourceRef> existing(LaunchPlan plan, FleetPlan wanted, Map<String, TunaException> refused) {
        Set<String> regions =
                wanted.steps().stream().map(FleetPlan.Step::region).collect(Collectors.toCollection(TreeSet::new));
        return inventory.byToken(regions, plan.token(), (region, failure) -> {
            if (!Refusals.isLocal(failure) || mayHaveLaunched(plan, wanted, region)) {
                throw failure;
            }
            refused.put(region, failure);
        });
    }

    /** Whether a fleet was asked for in a region whose answer may have been lost: each is declared before. */
    private boolean mayHaveLaunched(LaunchPlan plan, FleetPlan wanted, String region) {
        Set<ResourceRef> declared = Set.copyOf(context.journal().open(plan.deployment()));
        return wanted.steps().stream()
                .filter(step -> step.region().equals(region))
                .map(step -> step.request(FleetPlanner.CREATE_FLEET)
                        .path("ClientToken")
                        .asText())
                .flatMap(base -> IntStream.rangeClosed(0, MOST_REFUSALS).mapToObj(refused -> token(base, refused)))
                .anyMatch(token -> declared.contains(Names.ref(Names.FLEET, region, token)));
    }

    /** What EC2 has answered for good it answers again to the same token. */
    private static String token(String base, int refused) {
        return refused == 0 ? base : Names.token(base, Integer.toString(refused));
    }

    private ResourceRef ask(LaunchPlan plan, FleetPlan wanted, Map<String, TunaException> unseen) {
        List<TunaException> refused = new ArrayList<>(unseen.values());
        for (FleetPlan.Step step : wanted.steps()) {
            if (!unseen.containsKey(step.region()) && isDue(step, wanted, refused)) {
                Outcome outcome = ask(plan, wanted, step);
                if (outcome.machine().isPresent()) {
                    return outcome.machine().get();
                }
                outcome.refusal().ifPresent(refused::add);
            }
        }
        throw Refusals.verdict(refused);
    }

    /** List price is for want of spot capacity, not of a permission or of an answer. */
    private static boolean isDue(FleetPlan.Step step, FleetPlan wanted, List<TunaException> refused) {
        return step.tier() == Tier.SPOT
                || wanted.steps().stream().noneMatch(other -> other.tier() == Tier.SPOT)
                || refused.stream().anyMatch(CapacityException.class::isInstance);
    }

    /** A machine, or why there is certainly none. What leaves that open is thrown. */
    private record Outcome(Optional<ResourceRef> machine, Optional<TunaException> refusal) {

        static Outcome of(ResourceRef machine) {
            return new Outcome(Optional.of(machine), Optional.empty());
        }

        static Outcome refused(FleetPlan.Step step, TunaException refusal) {
            if (!(refusal instanceof CapacityException)) {
                LOG.warn("{} gives no machine: {}", step.region(), refusal.getMessage());
            }
            return new Outcome(Optional.empty(), Optional.of(refusal));
        }
    }

    private Outcome ask(LaunchPlan plan, FleetPlan wanted, FleetPlan.Step step) {
        boolean fresh = !mayHaveLaunched(plan, wanted, step.region());
        Order order;
        try {
            order = prepare(plan, wanted, step, fresh);
        } catch (TunaException e) {
            if (e instanceof CapacityException || (fresh && Refusals.isLocal(e))) {
                return Outcome.refused(step, e);
            }
            throw e;
        }
        int refused = refusals.getOrDefault(order.base(), 0);
        return create(order, order.body().deepCopy().put("ClientToken", token(order.base(), refused)), true);
    }

    private Order prepare(LaunchPlan plan, FleetPlan wanted, FleetPlan.Step step, boolean fresh) {
        Helpers.Ready ready = deployments.alone(
                plan.deployment() + " " + step.region(),
                () -> new Helpers(clients, context.journal(), host, step.region(), plan.deployment()).prepare(step));
        JsonNode overrides = Blanks.overrides(
                FleetPlanner.overrides(step.request(FleetPlanner.CREATE_FLEET)),
                ready.network().subnets());
        if (overrides.isEmpty()) {
            throw new CapacityException(
                    ErrorCode.CAPACITY,
                    AwsOptions.PROVIDER + ": " + ready.network().vpc() + " in " + step.region()
                            + " has no subnet in any of the zones wanted");
        }
        String version = version(plan, wanted, step, ready);
        ObjectNode body =
                (ObjectNode) Blanks.fill(step.request(FleetPlanner.CREATE_FLEET), Map.of(Blanks.VERSION, version));
        ((ObjectNode) body.path("LaunchTemplateConfigs").path(0)).set("Overrides", overrides);
        return new Order(plan, step, ready.network(), body, fresh);
    }

    private String version(LaunchPlan plan, FleetPlan wanted, FleetPlan.Step step, Helpers.Ready ready) {
        Map<String, String> values = new HashMap<>(ready.values());
        values.put(Blanks.USER_DATA, userData(plan, wanted));
        ObjectNode body = (ObjectNode) Blanks.fill(step.request(FleetPlanner.CREATE_VERSION), values);
        atLeast(body, ready.image().rootGb());
        // Another content is another version: a token that was used for one must not be used for the other.
        body.put("ClientToken", Names.token(body.path("ClientToken").asText(), body.toString()));
        long made = new AwsCalls(step.region())
                .about(TEMPLATE)
                .call(
                        "create launch template version",
                        "ec2:CreateLaunchTemplateVersion",
                        () -> clients.ec2(step.region())
                                .createLaunchTemplateVersion(
                                        SdkJson.fill(CreateLaunchTemplateVersionRequest.builder(), body)
                                                .build())
                                .launchTemplateVersion()
                                .versionNumber());
        new OldVersions(clients, context.clock(), step.region())
                .remove(body.path("LaunchTemplateName").asText(), made);
        return Long.toString(made);
    }

    /** A root volume cannot be smaller than its image. */
    private static void atLeast(ObjectNode body, int gb) {
        ObjectNode disk = (ObjectNode) body.path("LaunchTemplateData")
                .path("BlockDeviceMappings")
                .path(0)
                .path("Ebs");
        disk.put("VolumeSize", Math.max(gb, disk.path("VolumeSize").asInt()));
    }

    private String userData(LaunchPlan plan, FleetPlan wanted) {
        return Base64.getEncoder().encodeToString(link.userData(wanted.bootText(), plan.deployment(), plan.token()));
    }

    /** What a fleet is asked for; it is fresh if none was asked for this replica in its region before. */
    private record Order(LaunchPlan plan, FleetPlan.Step step, Network network, ObjectNode body, boolean fresh) {

        /** Its first token, which is the base of those that follow. */
        String base() {
            return body.path("ClientToken").asText();
        }
    }

    private Outcome create(Order order, ObjectNode body, boolean again) {
        LaunchPlan plan = order.plan();
        FleetPlan.Step step = order.step();
        ResourceRef fleet =
                Names.ref(Names.FLEET, step.region(), body.path("ClientToken").asText());
        context.journal().intend(plan.deployment(), fleet, body.toString());
        Optional<CreateFleetResponse> answer;
        try {
            answer = new AwsCalls(step.region())
                    .about(TEMPLATE)
                    .unless(
                            AwsFault.TOKEN_USED,
                            "create fleet",
                            "ec2:CreateFleet",
                            () -> clients.ec2(step.region())
                                    .createFleet(SdkJson.fill(CreateFleetRequest.builder(), body)
                                            .build()));
        } catch (TunaException e) {
            // What an earlier call, whose answer was lost, has made is not told by a refusal of this one.
            if (e instanceof CapacityException) {
                return Outcome.refused(step, e);
            } else if (order.fresh() && again && Refusals.isCertain(e)) {
                context.journal().gone(fleet);
                return Outcome.refused(step, e);
            }
            throw e;
        }
        if (answer.isEmpty()) {
            return usedBefore(order, body, again);
        }
        inventory.made(fleet, answer.get().fleetId());
        List<String> instances = answer.get().instances().stream()
                .flatMap(instance -> instance.instanceIds().stream())
                .toList();
        noteNotSold(step, order.network(), answer.get().errors());
        if (!instances.isEmpty()) {
            LOG.info("{}: {} launched in {}", plan.deployment(), instances.get(0), step.region());
            ResourceRef replica = Names.ref(Names.INSTANCE, step.region(), instances.get(0));
            inventory.launched(replica);
            return Outcome.of(replica);
        }
        refusals.merge(order.base(), 1, Integer::sum);
        discard(fleet, answer.get().fleetId());
        return Outcome.refused(step, Refusals.of(step.region(), answer.get().errors()));
    }

    /** The token was used with other parameters, before a crash: whatever came of it carries the replica's tag. */
    private Outcome usedBefore(Order order, ObjectNode body, boolean again) {
        String token = order.plan().token();
        Optional<ResourceRef> found = inventory.byToken(Set.of(order.step().region()), token);
        if (found.isPresent()) {
            return Outcome.of(found.get());
        }
        if (!again) {
            throw ProviderException.of(AwsOptions.PROVIDER, "create fleet")
                    .retryable(true)
                    .message("the token of replica " + token + " was used before, and nothing came of it yet")
                    .build();
        }
        return create(order, body.put("ClientToken", Names.token(order.base(), body.toString())), false);
    }

    /** A fleet that made nothing is of no use; what cannot be removed now is removed with the deployment. */
    private void discard(ResourceRef fleet, String id) {
        try {
            if (inventory.deleteFleets(Names.region(fleet).orElseThrow(), List.of(id))) {
                context.journal().gone(fleet);
                inventory.forget(List.of(fleet));
            }
        } catch (TunaException e) {
            LOG.debug("{} is left for later: {}", fleet, e.getMessage());
        }
    }

    private void noteNotSold(FleetPlan.Step step, Network network, List<CreateFleetError> errors) {
        for (CreateFleetError error : errors) {
            if (Refusals.isNotSold(error)
                    && error.launchTemplateAndOverrides() != null
                    && error.launchTemplateAndOverrides().overrides() != null) {
                FleetLaunchTemplateOverrides pool =
                        error.launchTemplateAndOverrides().overrides();
                network.zone(String.valueOf(pool.subnetId()))
                        .ifPresent(zone -> notSold.add(new CapacityPool(
                                AwsOptions.PROVIDER, step.region(), zone, pool.instanceTypeAsString(), step.tier())));
            }
        }
    }

    /** Forgets what was noted for a replica that is gone. */
    void forget(ResourceRef replica) {
        launched.values().remove(replica);
        inventory.forget(replica);
    }
}
