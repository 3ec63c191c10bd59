package dev.tuna.testkit.cloud.plugin;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.Secret;
import dev.tuna.api.Tier;
import dev.tuna.api.TunaException;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.Credential;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.PoolOffer;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterCloud;
import dev.tuna.spi.SpotCloud;
import dev.tuna.testkit.cloud.model.CloudApi;
import dev.tuna.testkit.cloud.model.CloudJson;
import dev.tuna.testkit.cloud.model.LaunchRequest;
import dev.tuna.testkit.cloud.model.PoolSettings;
import dev.tuna.testkit.cloud.model.PoolView;
import dev.tuna.testkit.cloud.model.ReplicaView;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Rented machines of a local or simulated cloud. Thread-safe. */
public final class LocalSpotCloud implements SpotCloud {

    private static final String KIND = "replica";

    private final ProviderContext context;
    private final Access access;

    LocalSpotCloud(ProviderContext context, Access access) {
        this.context = context;
        this.access = access;
    }

    /**
     * The plugin on any cloud, for a simulation.
     *
     * @param provider the provider's name
     * @param context owner, secrets and clock
     * @param cloud what to call instead of a process over HTTP
     */
    public LocalSpotCloud(String provider, ProviderContext context, CloudApi cloud) {
        this(context, new Access(provider, Optional.of(cloud), URI.create("http://simulated.invalid"), "", false));
    }

    @Override
    public PreflightReport preflight(ReplicaSpec spec, boolean fix) {
        List<Check> checks = new ArrayList<>();
        checks.add(access.check());
        access.api().ifPresent(cloud -> checks.add(poolCheck(spec)));
        checks.addAll(Engines.secretChecks(context.secrets(), spec.engine()));
        return new PreflightReport(access.provider(), checks);
    }

    private Check poolCheck(ReplicaSpec spec) {
        try {
            int fitting = pools(spec).size();
            String wanted = spec.engine().gpuCount() + " x " + spec.engine().gpu()
                    + (spec.regions().isEmpty() ? "" : " in " + spec.regions());
            return fitting > 0
                    ? Check.passed("gpu_offered", fitting + " pools have " + wanted)
                    : Check.failed(
                            "gpu_offered",
                            "no pool of the local cloud has " + wanted,
                            "choose one of " + gpus() + " or start the cloud with other pools");
        } catch (TunaException e) {
            return Access.unreadable(e);
        }
    }

    private List<String> gpus() {
        return access.cloud().pools().stream()
                .map(view -> view.now().gpuCount() + " x " + view.now().gpu() + " in "
                        + view.now().region())
                .distinct()
                .toList();
    }

    @Override
    public List<PoolOffer> pools(ReplicaSpec spec) {
        return access.cloud().pools().stream()
                .map(PoolView::now)
                .filter(pool -> pool.gpu().equals(spec.engine().gpu()))
                .filter(pool -> pool.gpuCount() >= spec.engine().gpuCount())
                .filter(pool -> spec.regions().isEmpty() || spec.regions().contains(pool.region()))
                .map(this::offer)
                .toList();
    }

    @Override
    public List<PoolOffer> pools() {
        return access.cloud().pools().stream()
                .map(PoolView::now)
                .map(this::offer)
                .toList();
    }

    private PoolOffer offer(PoolSettings pool) {
        CapacityPool named =
                new CapacityPool(access.provider(), pool.region(), pool.zone(), pool.machineType(), pool.tier());
        return new PoolOffer(
                named,
                pool.gpu(),
                pool.gpuCount(),
                Optional.of(pool.usdPerHour()),
                context.clock().instant(),
                "live");
    }

    @Override
    public LaunchPlan plan(ReplicaSpec spec, List<CapacityPool> pools, String token) {
        Engines.refuseUnsupported(access.provider(), spec.engine(), spec.options());
        for (CapacityPool pool : pools) {
            if (!pool.provider().equals(access.provider())) {
                throw new ConfigurationException(
                        ErrorCode.INVALID_REQUEST,
                        "pool " + pool + " is of provider '" + pool.provider() + "', not of " + access.provider());
            }
        }
        return new LaunchPlan(
                spec.deployment(),
                token,
                pools,
                "One machine with " + spec.engine().gpuCount() + " x "
                        + spec.engine().gpu() + " for " + spec.engine().model() + " from the first of " + pools
                        + " that has one",
                CloudJson.write(new ReplicaPlan(spec.engine(), spec.orphanTimeout())));
    }

    @Override
    public ResourceRef launch(LaunchPlan plan) {
        ReplicaPlan body = Engines.body(access.provider(), plan.body(), ReplicaPlan.class);
        Map<String, Secret> environment = new HashMap<>(Engines.environment(context.secrets(), body.engine()));
        body.engine()
                .apiKey()
                .map(ref -> Engines.keyVariables(Engines.secret(context.secrets(), ref)))
                .ifPresent(environment::putAll);
        ReplicaView launched = access.cloud()
                .launch(new LaunchRequest(
                        plan.token(),
                        context.ownerId(),
                        plan.deployment(),
                        plan.pools().stream().map(LocalSpotCloud::id).toList(),
                        body.engine(),
                        body.orphanTimeout(),
                        body.engine().apiKey(),
                        environment));
        return ref(launched);
    }

    private ResourceRef ref(ReplicaView view) {
        return new ResourceRef(access.provider(), KIND, view.id());
    }

    private static String id(CapacityPool pool) {
        return pool.zone() + "/" + pool.machineType() + "/" + pool.tier();
    }

    @Override
    public Map<ResourceRef, ReplicaObservation> observe(Collection<ResourceRef> replicas) {
        Map<ResourceRef, ReplicaObservation> observations = new HashMap<>();
        replicas.forEach(replica -> observations.put(replica, ReplicaObservation.gone()));
        if (!replicas.isEmpty()) {
            List<String> ids = replicas.stream().map(ResourceRef::id).distinct().toList();
            for (ReplicaView view : access.cloud().observe(ids)) {
                observations.replace(ref(view), observation(view));
            }
        }
        return observations;
    }

    private ReplicaObservation observation(ReplicaView view) {
        return new ReplicaObservation(
                        view.phase(),
                        view.detail(),
                        Optional.of(pool(view)),
                        view.phase() == BackendPhase.GONE
                                ? Optional.empty()
                                : view.address().map(address -> address(view, address)),
                        view.interruptionAt(),
                        Optional.of(view.launchedAt()),
                        view.endedAt(),
                        Optional.of(view.usdPerHour()))
                .with(view.rebalanceAt(), Optional.empty());
    }

    private BackendAddress address(ReplicaView view, URI address) {
        return new BackendAddress(
                address,
                view.keyRef().flatMap(context.secrets()::get).map(Credential::bearer),
                "/health",
                Optional.empty(),
                0);
    }

    private CapacityPool pool(ReplicaView view) {
        String[] parts = view.pool().split("/");
        return new CapacityPool(access.provider(), view.region(), parts[0], parts[1], Tier.valueOf(parts[2]));
    }

    @Override
    public void terminate(ResourceRef replica) {
        access.cloud().terminate(replica.id());
    }

    @Override
    public List<FoundResource> find() {
        return access.cloud().replicas().stream()
                .map(view ->
                        new FoundResource(ref(view), view.owner(), view.deployment(), Optional.of(view.launchedAt())))
                .toList();
    }

    /** Machines are processes beside the cloud's, which outlive it. */
    @Override
    public Optional<RouterCloud> routers() {
        return Optional.of(new LocalRouterCloud(context, access.provider()));
    }

    /** Nothing to release: the HTTP client belongs to the context. */
    @Override
    public void close() {}
}
