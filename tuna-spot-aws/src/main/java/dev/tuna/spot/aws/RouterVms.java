package dev.tuna.spot.aws;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.BackendPhase;
import dev.tuna.api.CapacityException;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.ProviderException;
import dev.tuna.provider.support.Checks;
import dev.tuna.spi.FoundRouterVm;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterCloud;
import dev.tuna.spi.RouterVmObservation;
import dev.tuna.spi.RouterVmPlan;
import dev.tuna.spi.RouterVmSpec;
import dev.tuna.spot.aws.router.RouterBoot;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.RunInstancesRequest;

/** Machines of routers on EC2. Thread-safe; closed with the cloud that it is part of. */
final class RouterVms implements RouterCloud {

    private static final Logger LOG = LoggerFactory.getLogger(RouterVms.class);

    private final ProviderContext context;
    private final AwsClients clients;
    private final Inventory inventory;
    private final Atlas atlas;
    private final Supplier<String> host;
    private final RouterLink link;
    private final RouterJars jars;
    private final RouterPrices prices;
    private final Stripes alone = new Stripes();
    /** A launch's token to what was launched for it by this object. */
    private final Map<String, ResourceRef> launched = new ConcurrentHashMap<>();

    RouterVms(
            ProviderContext context,
            AwsClients clients,
            Inventory inventory,
            Atlas atlas,
            Supplier<String> host,
            Executor background) {
        this.context = context;
        this.clients = clients;
        this.inventory = inventory;
        this.atlas = atlas;
        this.host = host;
        this.link = new RouterLink(context, clients, host);
        this.jars = new RouterJars(clients, context.journal(), context.ownerId());
        this.prices = new RouterPrices(clients, context.clock(), background);
    }

    private RouterOptions options(RouterVmSpec spec) {
        return RouterOptions.of(context.settings(), spec.options());
    }

    /** Whoever says anything of such a machine means to have one. */
    @Override
    public List<Check> preflight(Map<String, String> requested) {
        boolean wanted = RouterOptions.KEYS.stream()
                .anyMatch(
                        key -> requested.containsKey(key) || context.settings().containsKey(key));
        if (!wanted) {
            return List.of();
        }
        RouterOptions options;
        try {
            options = RouterOptions.of(context.settings(), requested);
        } catch (ConfigurationException e) {
            return List.of(Checks.failed("router_options", e, "set what is named"));
        }
        return new RouterChecks(clients, context.ownerId(), options).run();
    }

    @Override
    public RouterVmPlan plan(RouterVmSpec spec, String token) {
        return RouterPlanner.plan(context.ownerId(), spec, options(spec), token);
    }

    @Override
    public URI deliver(RouterVmPlan plan, URI jar, String sha256) {
        RouterPlan wanted = RouterPlan.read(plan.body());
        return jars.deliver(wanted.region(), wanted.bucket(), plan.name(), jar, sha256);
    }

    // --- launching ---

    @Override
    public ResourceRef launch(RouterVmPlan plan) {
        RouterPlan wanted = RouterPlan.read(plan.body());
        return alone.alone(plan.token(), () -> {
            ResourceRef known = launched.get(plan.token());
            if (known == null) {
                known = inventory.routerByToken(wanted.region(), plan.token()).orElseGet(() -> ask(plan, wanted));
                launched.put(plan.token(), known);
            }
            return known;
        });
    }

    private ResourceRef ask(RouterVmPlan plan, RouterPlan wanted) {
        account(plan.name()).remember(wanted.region());
        var helpers = new Helpers(clients, context.journal(), host, wanted.region(), RouterCloud.journal(plan.name()));
        Network network = helpers.network(wanted.step());
        Images.Found image =
                new Images(clients, wanted.region()).find(wanted.step().image());
        URI jar =
                jars.deliver(wanted.region(), wanted.bucket(), plan.name(), URI.create(wanted.jar()), wanted.sha256());
        Map<String, String> values = new HashMap<>(Map.of(
                Blanks.GROUP, helpers.group(wanted.step(), network),
                Blanks.IMAGE, image.id(),
                Blanks.ROOT_DEVICE, image.rootDevice(),
                Blanks.USER_DATA, userData(plan.name(), wanted, jar)));
        List<String> refused = new ArrayList<>();
        ErrorCode worst = ErrorCode.QUOTA;
        for (List<String> subnets : new TreeMap<>(network.subnets()).values()) {
            for (String subnet : subnets) {
                values.put(Blanks.SUBNET_CHOSEN, subnet);
                try {
                    return run(plan, wanted, image, (ObjectNode)
                            Blanks.fill(wanted.step().request(RouterPlan.RUN), values));
                } catch (CapacityException e) {
                    refused.add(e.getMessage());
                    worst = e.code() == ErrorCode.QUOTA ? worst : ErrorCode.CAPACITY;
                }
            }
        }
        throw new CapacityException(worst, String.join("; ", refused));
    }

    private String userData(String name, RouterPlan wanted, URI jar) {
        RouterLink.Enrolment enrolment = link.enrolment(name);
        return Base64.getEncoder()
                .encodeToString(new RouterBoot(
                                name,
                                wanted.agentPort(),
                                wanted.clientPort(),
                                Duration.ofSeconds(wanted.orphanTimeoutSeconds()),
                                jar,
                                wanted.sha256(),
                                enrolment.authority(),
                                enrolment.token())
                        .userData()
                        .bytes());
    }

    private ResourceRef run(RouterVmPlan plan, RouterPlan wanted, Images.Found image, ObjectNode body) {
        String region = wanted.region();
        // A root volume cannot be smaller than its image.
        ObjectNode disk = (ObjectNode) body.path("BlockDeviceMappings").path(0).path("Ebs");
        disk.put("VolumeSize", Math.max(image.rootGb(), disk.path("VolumeSize").asInt()));
        JsonNode subnet = body.path("NetworkInterfaces").path(0).path("SubnetId");
        body.put("ClientToken", Names.token(body.path("ClientToken").asText(), subnet.asText()));
        List<Instance> made = new ArrayList<>();
        Optional<AwsFault> fault = new AwsCalls(region)
                .unlessAny(
                        Set.of(AwsFault.TOKEN_USED, AwsFault.NOT_FOUND),
                        "launch router VM",
                        "ec2:RunInstances",
                        () -> made.addAll(clients.ec2(region)
                                .runInstances(SdkJson.fill(RunInstancesRequest.builder(), body)
                                        .build())
                                .instances()));
        if (fault.isEmpty()) {
            ResourceRef vm = Names.ref(Names.ROUTER_VM, region, made.get(0).instanceId());
            LOG.info("router VM {}: {} launched in {}", plan.name(), made.get(0).instanceId(), region);
            inventory.launched(vm);
            return vm;
        }
        // Before a crash, with a URL for the jar that was signed at another time: what came of it carries the tag.
        return inventory
                .routerByToken(region, plan.token())
                .orElseThrow(() -> ProviderException.of(AwsOptions.PROVIDER, "launch router VM")
                        .retryable(true)
                        .message("what was made for it a moment ago is not seen yet in " + region)
                        .build());
    }

    // --- looking ---

    @Override
    public RouterVmObservation observe(ResourceRef vm, String name) {
        if (!Names.isRouterVm(vm)) {
            return RouterVmObservation.gone();
        }
        String region = Names.region(vm).orElseThrow();
        return inventory
                .instance(region, Names.id(vm))
                .map(instance -> observation(region, instance, name))
                .orElseGet(() -> absent(vm, region, name));
    }

    /** Nothing but what EC2 showed as terminated is believed to be gone while others are asked than it was made with. */
    private RouterVmObservation absent(ResourceRef vm, String region, String name) {
        account(name).requireSame(region);
        return inventory.maySettle(vm) ? requested() : RouterVmObservation.gone();
    }

    private RouterAccount account(String name) {
        return new RouterAccount(clients, context.journal(), name);
    }

    private static RouterVmObservation requested() {
        return new RouterVmObservation(
                BackendPhase.REQUESTED,
                "EC2 does not show it yet",
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    private RouterVmObservation observation(String region, Instance instance, String name) {
        Optional<RouterLink.Vm> vm = RouterLink.Vm.of(region, instance, name);
        boolean running = Instances.isRunning(instance);
        RouterLink.Report report = running && vm.isPresent()
                ? link.look(instance, vm.get())
                : new RouterLink.Report(
                        Instances.phase(instance, Optional.empty()),
                        running ? "it has no address yet" : Instances.reason(instance),
                        Optional.empty());
        boolean gone = report.phase() == BackendPhase.GONE;
        if (gone) {
            link.hangUp(instance.instanceId());
        }
        Optional<Instant> launchedAt = Optional.ofNullable(instance.launchTime());
        BigDecimal extra =
                Instances.tag(instance, Names.EXTRA_USD).map(BigDecimal::new).orElse(BigDecimal.ZERO);
        return new RouterVmObservation(
                report.phase(),
                report.detail(),
                report.control(),
                vm.flatMap(found -> endpoint(instance, found.host())),
                launchedAt,
                // EC2 tells it to the second, and the launch more exactly.
                gone
                        ? Instances.endedAt(instance)
                                .map(end -> launchedAt.filter(end::isBefore).orElse(end))
                        : Optional.empty(),
                prices.of(region, instance.instanceTypeAsString()).map(extra::add));
    }

    private static Optional<URI> endpoint(Instance instance, String host) {
        return Instances.tag(instance, Names.CLIENT_PORT).map(port -> URI.create("https://" + host + ":" + port));
    }

    @Override
    public List<FoundRouterVm> find() {
        List<String> own = AwsOptions.of(context.settings(), Map.of()).regions();
        Set<String> regions = new TreeSet<>(inventory.regionsUsed());
        regions.addAll(own);
        regions.addAll(inventory.regions(own.get(0)));
        return atlas
                .atOnce(
                        List.copyOf(regions),
                        region -> inventory.routers(region).stream()
                                .filter(instance -> !Instances.isGone(instance))
                                .map(instance -> new FoundRouterVm(
                                        Names.ref(Names.ROUTER_VM, region, instance.instanceId()),
                                        Instances.tag(instance, Names.ROUTER_NAME)
                                                .orElse(""),
                                        Instances.tag(instance, Names.OWNER).orElse("")))
                                .toList())
                .stream()
                .flatMap(List::stream)
                .toList();
    }

    // --- ending ---

    @Override
    public void terminate(ResourceRef vm) {
        if (Names.isRouterVm(vm)) {
            inventory.terminate(Names.region(vm).orElseThrow(), List.of(Names.id(vm)));
        }
    }

    @Override
    public void cleanUp(FoundRouterVm found) {
        boolean ours = found.ownerId().equals(context.ownerId());
        List<ResourceRef> declared = ours ? context.journal().open(RouterCloud.journal(found.name())) : List.of();
        Set<String> regions = Stream.concat(declared.stream(), Stream.of(found.resource()))
                .flatMap(ref -> Names.region(ref).stream())
                .collect(Collectors.toCollection(TreeSet::new));
        boolean all = true;
        for (String region : regions) {
            all &= new RouterCleanUp(clients, inventory, context.journal(), jars, found, region).run(declared);
        }
        if (all) {
            link.forget(found.ownerId(), found.name());
            launched.values().remove(found.resource());
            inventory.forget(found.resource());
        }
    }

    void close() {
        link.close();
    }
}
