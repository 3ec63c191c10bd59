package dev.tuna.spot.aws;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.CapacityException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.TunaException;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ResourceRef;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
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

    private final ProviderContext context;
    private final AwsClients clients;
    private final Inventory inventory;
    private final ReplicaLink link;
    private final Supplier<String> host;
    private final Stripes replicas = new Stripes();
    private final Stripes deployments = new Stripes();
    /** Replica's token to what was launched for it by this object. */
    private final Map<String, ResourceRef> launched = new ConcurrentHashMap<>();
    /** Fleet's token to how often EC2 has said for good that it made nothing. */
    private final Map<String, Integer> refusals = new ConcurrentHashMap<>();
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
                known = existing(plan, wanted).orElseGet(() -> ask(plan, wanted));
                launched.put(plan.token(), known);
            }
            return known;
        });
    }

    private Optional<ResourceRef> existing(LaunchPlan plan, FleetPlan wanted) {
        Set<String> regions =
                wanted.steps().stream().map(FleetPlan.Step::region).collect(Collectors.toCollection(TreeSet::new));
        return inventory.byToken(regions, plan.token());
    }

    private ResourceRef ask(LaunchPlan plan, FleetPlan wanted) {
        List<TunaException> refused = new ArrayList<>();
        for (FleetPlan.Step step : wanted.steps()) {
            try {
                return ask(plan, wanted, step);
            } catch (CapacityException e) {
                refused.add(e);
            }
        }
        // Only if a quota is what is missing everywhere does it not help to come back soon.
        ErrorCode code =
                refused.stream().allMatch(e -> e.code() == ErrorCode.QUOTA) ? ErrorCode.QUOTA : ErrorCode.CAPACITY;
        throw new CapacityException(
                code, refused.stream().map(TunaException::getMessage).collect(Collectors.joining("; ")));
    }

    private ResourceRef ask(LaunchPlan plan, FleetPlan wanted, FleetPlan.Step step) {
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
        return fleet(plan, step, ready.network(), version, overrides);
    }

    private String version(LaunchPlan plan, FleetPlan wanted, FleetPlan.Step step, Helpers.Ready ready) {
        Map<String, String> values = new HashMap<>(ready.values());
        values.put(Blanks.USER_DATA, userData(plan, wanted));
        ObjectNode body = (ObjectNode) Blanks.fill(step.request(FleetPlanner.CREATE_VERSION), values);
        atLeast(body, ready.image().rootGb());
        // Another content is another version: a token that was used for one must not be used for the other.
        body.put("ClientToken", Names.token(body.path("ClientToken").asText(), body.toString()));
        long made = new AwsCalls(step.region())
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

    private ResourceRef fleet(
            LaunchPlan plan, FleetPlan.Step step, Network network, String version, JsonNode overrides) {
        ObjectNode body =
                (ObjectNode) Blanks.fill(step.request(FleetPlanner.CREATE_FLEET), Map.of(Blanks.VERSION, version));
        ((ObjectNode) body.path("LaunchTemplateConfigs").path(0)).set("Overrides", overrides);
        String base = body.path("ClientToken").asText();
        int refused = refusals.getOrDefault(base, 0);
        // What EC2 has answered for good it answers again to the same token.
        String token = refused == 0 ? base : Names.token(base, Integer.toString(refused));
        return create(new Order(plan, step, network, base), body.put("ClientToken", token), true);
    }

    /** What a fleet is asked for; its first token is the base of those that follow. */
    private record Order(LaunchPlan plan, FleetPlan.Step step, Network network, String base) {}

    private ResourceRef create(Order order, ObjectNode body, boolean again) {
        LaunchPlan plan = order.plan();
        FleetPlan.Step step = order.step();
        ResourceRef fleet =
                Names.ref(Names.FLEET, step.region(), body.path("ClientToken").asText());
        context.journal().intend(plan.deployment(), fleet, body.toString());
        Optional<CreateFleetResponse> answer = new AwsCalls(step.region())
                .unless(
                        AwsFault.TOKEN_USED,
                        "create fleet",
                        "ec2:CreateFleet",
                        () -> clients.ec2(step.region())
                                .createFleet(SdkJson.fill(CreateFleetRequest.builder(), body)
                                        .build()));
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
            return replica;
        }
        refusals.merge(order.base(), 1, Integer::sum);
        discard(fleet, answer.get().fleetId());
        throw refusal(step.region(), answer.get().errors());
    }

    /** The token was used with other parameters, before a crash: whatever came of it carries the replica's tag. */
    private ResourceRef usedBefore(Order order, ObjectNode body, boolean again) {
        String token = order.plan().token();
        Optional<ResourceRef> found = inventory.byToken(Set.of(order.step().region()), token);
        if (found.isPresent()) {
            return found.get();
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
            if (AwsFault.of(error.errorCode(), 0) == AwsFault.NOT_OFFERED
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

    /** What a person must mend comes first, then what passes by itself; then only pools are to blame. */
    static TunaException refusal(String region, List<CreateFleetError> errors) {
        for (AwsFault fault : List.of(AwsFault.PERMISSION, AwsFault.CONFIGURATION, AwsFault.NOT_FOUND)) {
            Optional<CreateFleetError> worst = first(errors, fault);
            if (worst.isPresent()) {
                return one(region, worst.get(), 0);
            }
        }
        boolean passes = errors.stream()
                .allMatch(error -> AwsFault.of(error.errorCode(), 0) == AwsFault.THROTTLED
                        || AwsFault.of(error.errorCode(), 0) == AwsFault.TRANSIENT);
        if (passes && !errors.isEmpty()) {
            return one(region, errors.get(0), 0);
        }
        boolean quota = errors.stream().allMatch(error -> AwsFault.of(error.errorCode(), 0) == AwsFault.QUOTA);
        if (quota && !errors.isEmpty()) {
            return one(region, errors.get(0), 0);
        }
        String codes = errors.isEmpty()
                ? "EC2 launched nothing and does not say why"
                : errors.stream()
                        .map(CreateFleetError::errorCode)
                        .distinct()
                        .sorted()
                        .collect(Collectors.joining(", "));
        return new CapacityException(
                ErrorCode.CAPACITY,
                AwsOptions.PROVIDER + ": no machine in " + region + " now: " + codes
                        + first(errors, AwsFault.CAPACITY)
                                .map(error -> " (" + AwsErrors.quoted(String.valueOf(error.errorMessage())) + ")")
                                .orElse(""));
    }

    private static Optional<CreateFleetError> first(List<CreateFleetError> errors, AwsFault fault) {
        return errors.stream()
                .filter(error -> AwsFault.of(error.errorCode(), 0) == fault)
                .findFirst();
    }

    private static TunaException one(String region, CreateFleetError error, int status) {
        return AwsErrors.of(
                "create fleet",
                "ec2:CreateFleet",
                region,
                error.errorCode(),
                AwsErrors.quoted(String.valueOf(error.errorMessage())),
                status,
                new IllegalStateException(error.errorCode()));
    }

    /** Forgets what was noted for a replica that is gone. */
    void forget(ResourceRef replica) {
        launched.values().remove(replica);
    }
}
