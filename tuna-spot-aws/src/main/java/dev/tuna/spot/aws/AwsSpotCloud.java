package dev.tuna.spot.aws;

import dev.tuna.api.PreflightReport;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.PoolOffer;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterCloud;
import dev.tuna.spi.SpotCloud;
import java.math.BigDecimal;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Machines on EC2. Thread-safe. */
final class AwsSpotCloud implements SpotCloud {

    private static final int THREADS = 8;

    private final ProviderContext context;
    private final AwsSettings settings;
    private final AwsClients clients;
    private final ReplicaLink link;
    private final HostAddress host;
    private final Atlas atlas;
    private final Inventory inventory;
    private final Launcher launcher;
    private final RouterVms routers;
    private final ReplicaWatch watch;
    private final ExecutorService background;

    AwsSpotCloud(ProviderContext context, ReplicaLink.Maker links) {
        this.context = context;
        this.settings = AwsSettings.of(context.settings());
        this.clients = new AwsClients(settings, () -> Credentials.of(settings, context.secrets(), context.clock()));
        this.link = links.make(context);
        this.background = Executors.newFixedThreadPool(THREADS, work -> {
            Thread thread = new Thread(work, "tuna-aws");
            thread.setDaemon(true);
            return thread;
        });
        this.atlas = new Atlas(clients, context.clock(), background);
        this.inventory = new Inventory(clients, context.ownerId(), context.clock());
        this.host = new HostAddress(context.http(), settings.ingressUrl());
        this.launcher = new Launcher(context, clients, inventory, link, host::cidr);
        this.routers = new RouterVms(context, clients, inventory, atlas, host::cidr, background);
        this.watch = new ReplicaWatch(
                inventory, link, atlas, new HostIngress(context, clients, host::cidr), background, launcher::forget);
    }

    private AwsOptions options(ReplicaSpec spec) {
        return AwsOptions.of(context.settings(), spec.options());
    }

    private AwsOptions options() {
        return AwsOptions.of(context.settings(), Map.of());
    }

    private static List<String> regions(ReplicaSpec spec, AwsOptions options) {
        return spec.regions().isEmpty() ? options.regions() : spec.regions();
    }

    @Override
    public PreflightReport preflight(ReplicaSpec spec, boolean fix) {
        return new AwsPreflight(context, settings, clients, atlas, host::cidr, spec)
                .report(pools -> plan(spec, pools, "check"));
    }

    @Override
    public List<PoolOffer> pools(ReplicaSpec spec) {
        AwsOptions options = options(spec);
        List<RegionView> regions = atlas.regions(regions(spec, options), options);
        return PoolChoice.fitting(regions, spec.engine(), options).stream()
                .filter(offer -> launcher.isSold(offer.pool()))
                .toList();
    }

    @Override
    public List<PoolOffer> pools() {
        AwsOptions options = options();
        BigDecimal surcharge = Surcharge.usdPerHour(options);
        return atlas.regions(options.regions()).stream()
                .flatMap(region -> region.offers(type -> true, zone -> true, surcharge))
                .toList();
    }

    @Override
    public LaunchPlan plan(ReplicaSpec spec, List<CapacityPool> pools, String token) {
        AwsOptions options = options(spec);
        return FleetPlanner.plan(
                context.ownerId(), spec, options, pools, token, link.bootText(spec, options, context.ownerId()));
    }

    @Override
    public ResourceRef launch(LaunchPlan plan) {
        return launcher.launch(plan);
    }

    @Override
    public Map<ResourceRef, ReplicaObservation> observe(Collection<ResourceRef> replicas) {
        Map<ResourceRef, ReplicaObservation> observations = new HashMap<>(
                watch.observe(replicas.stream().filter(Names::isInstance).toList()));
        replicas.stream()
                .filter(replica -> !Names.isInstance(replica))
                .forEach(other -> observations.put(other, routerVm(other)));
        return observations;
    }

    /** The machine of a router that nobody accounts for, seen from outside: nobody talks to it here. */
    private ReplicaObservation routerVm(ResourceRef vm) {
        if (!Names.isRouterVm(vm)) {
            return ReplicaObservation.gone();
        }
        String region = Names.region(vm).orElseThrow();
        return inventory
                .instance(region, Names.id(vm))
                .map(instance -> Instances.observation(
                        region, instance, Optional.empty(), Instances.endedAt(instance), Optional.empty()))
                .orElseGet(() -> watch.unseen(vm));
    }

    @Override
    public void terminate(ResourceRef replica) {
        if (Names.isInstance(replica) || Names.isRouterVm(replica)) {
            inventory.terminate(Names.region(replica).orElseThrow(), List.of(Names.id(replica)));
        }
    }

    @Override
    public void cleanUp(String deployment) {
        List<ResourceRef> declared = context.journal().open(deployment);
        Set<String> regions = new TreeSet<>(inventory.regionsUsed());
        declared.stream().flatMap(ref -> Names.region(ref).stream()).forEach(regions::add);
        regions.addAll(options().regions());
        for (String region : regions) {
            new CleanUp(clients, inventory, context.journal(), context.ownerId(), deployment, region).run();
        }
        inventory.forget(declared);
        link.forget(deployment);
    }

    /** Every region that the account can use is looked at; those that are not used only as far as to see that nothing is there. */
    @Override
    public List<FoundResource> find() {
        Set<String> used = new TreeSet<>(inventory.regionsUsed());
        used.addAll(options().regions());
        Set<String> all = new TreeSet<>(used);
        all.addAll(inventory.regions(options().regions().get(0)));
        return atlas
                .atOnce(
                        List.copyOf(all),
                        region -> used.contains(region) || inventory.hasAny(region)
                                ? inventory.find(region)
                                : List.<FoundResource>of())
                .stream()
                .flatMap(List::stream)
                .toList();
    }

    @Override
    public Optional<RouterCloud> routers() {
        return Optional.of(routers);
    }

    @Override
    public void close() {
        background.shutdownNow();
        routers.close();
        link.close();
        clients.close();
    }
}
