package dev.tuna.testkit.cloud.plugin;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.api.Tier;
import dev.tuna.api.TunaException;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.cloud.model.CloudApi;
import dev.tuna.testkit.cloud.model.CloudJson;
import dev.tuna.testkit.cloud.model.CloudSettings;
import dev.tuna.testkit.cloud.model.EndpointRequest;
import dev.tuna.testkit.cloud.model.EndpointView;
import java.math.BigDecimal;
import java.net.URI;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** Serverless endpoints of a local or simulated cloud. Thread-safe. */
public final class LocalServerlessCloud implements ServerlessCloud {

    private static final String KIND = "endpoint";
    private static final int OWNER_PART = 8;
    private static final int KEY_BYTES = 32;

    private final ProviderContext context;
    private final Access access;
    /** By name; made once, since parsing one costs more than the rest of an observation. */
    private final ConcurrentMap<String, URI> addresses = new ConcurrentHashMap<>();

    LocalServerlessCloud(ProviderContext context, Access access) {
        this.context = context;
        this.access = access;
    }

    /**
     * The plugin on any cloud, for a simulation.
     *
     * @param provider the provider's name
     * @param context owner, secrets and clock
     * @param cloud what to call instead of a process over HTTP
     * @param base what endpoint URLs begin with
     */
    public LocalServerlessCloud(String provider, ProviderContext context, CloudApi cloud, URI base) {
        this(context, new Access(provider, Optional.of(cloud), base, "", false));
    }

    @Override
    public PreflightReport preflight(ServerlessSpec spec, boolean fix) {
        List<Check> checks = new ArrayList<>();
        checks.add(access.check());
        access.api().ifPresent(cloud -> checks.add(gpuCheck(cloud, spec.engine().gpu())));
        checks.addAll(Engines.secretChecks(context.secrets(), spec.engine()));
        return new PreflightReport(access.provider(), checks);
    }

    private Check gpuCheck(CloudApi cloud, String gpu) {
        try {
            Map<String, BigDecimal> prices = cloud.serverlessPrices();
            return prices.containsKey(gpu)
                    ? Check.passed("gpu_offered", gpu + " costs " + prices.get(gpu) + " $/h")
                    : Check.failed(
                            "gpu_offered",
                            "the local cloud has no serverless " + gpu + ", only " + prices.keySet(),
                            "choose one of " + prices.keySet());
        } catch (TunaException e) {
            return Access.unreadable(e);
        }
    }

    @Override
    public List<GpuOffer> offers(GpuQuery query) {
        Map<String, BigDecimal> prices = access.cloud().serverlessPrices();
        return prices.keySet().stream()
                .sorted()
                .flatMap(gpu -> CloudSettings.CONTAINER_GPU_COUNTS.stream()
                        .map(count -> offer(gpu, count, Objects.requireNonNull(prices.get(gpu)))))
                .filter(query::matches)
                .toList();
    }

    private GpuOffer offer(String gpu, int count, BigDecimal usdPerGpuHour) {
        return new GpuOffer(
                access.provider(),
                Tier.SERVERLESS,
                gpu,
                count,
                Optional.empty(),
                Optional.empty(),
                Optional.of(usdPerGpuHour.multiply(BigDecimal.valueOf(count))),
                context.clock().instant(),
                "live");
    }

    @Override
    public ServerlessPlan plan(ServerlessSpec spec) {
        Engines.refuseUnsupported(access.provider(), spec.engine(), spec.options());
        spec.region().filter(region -> !region.equals(CloudSettings.REGION)).ifPresent(region -> {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "serverless region is '" + region + "' but " + access.provider() + " has only "
                            + CloudSettings.REGION + "; leave it unset");
        });
        int gpuCount = spec.engine().gpuCount();
        if (!CloudSettings.CONTAINER_GPU_COUNTS.contains(gpuCount)) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "GPU count is " + gpuCount + " but a container of " + access.provider() + " has one of "
                            + CloudSettings.CONTAINER_GPU_COUNTS);
        }
        String name = name(spec.deployment());
        EndpointPlan body = new EndpointPlan(spec.engine(), spec.scaling(), keyRef(spec, name));
        return new ServerlessPlan(
                spec.deployment(),
                new ResourceRef(access.provider(), KIND, name),
                "Endpoint " + name + " for " + spec.engine().model() + " on "
                        + spec.engine().gpuCount() + " x "
                        + spec.engine().gpu() + ", " + spec.scaling().workersMin() + " to "
                        + spec.scaling().workersMax() + " containers",
                CloudJson.write(body),
                List.of());
    }

    /** Two installations may use one cloud, and one deployment name. */
    private String name(String deployment) {
        String owner = context.ownerId();
        return deployment + "-" + owner.substring(0, Math.min(OWNER_PART, owner.length()));
    }

    private Optional<SecretRef> keyRef(ServerlessSpec spec, String name) {
        return spec.publicAccess()
                ? Optional.empty()
                : Optional.of(spec.engine().apiKey().orElseGet(() -> ownKey(name)));
    }

    /** For an endpoint whose engine was given no key: the plugin makes one. */
    private SecretRef ownKey(String name) {
        return new SecretRef(access.provider() + "/" + name + "/key");
    }

    @Override
    public ResourceRef begin(ServerlessPlan plan) {
        EndpointPlan body = Engines.body(access.provider(), plan.body(), EndpointPlan.class);
        String name = plan.resource().id();
        Optional<Secret> key = body.keyRef().map(ref -> key(ref, name));
        Map<String, Secret> environment = new HashMap<>(Engines.environment(context.secrets(), body.engine()));
        key.map(Engines::keyVariables).ifPresent(environment::putAll);
        access.cloud()
                .putEndpoint(new EndpointRequest(
                        name,
                        context.ownerId(),
                        plan.deployment(),
                        body.engine(),
                        body.scaling(),
                        body.keyRef(),
                        key,
                        environment));
        return plan.resource();
    }

    private Secret key(SecretRef ref, String name) {
        if (ref.equals(ownKey(name)) && context.secrets().get(ref).isEmpty()) {
            byte[] random = new byte[KEY_BYTES];
            new SecureRandom().nextBytes(random);
            context.secrets().put(ref, Secret.of(HexFormat.of().formatHex(random)));
        }
        return Engines.secret(context.secrets(), ref);
    }

    @Override
    public ServerlessObservation observe(ResourceRef resource) {
        return access.cloud()
                .endpoint(resource.id())
                .map(this::observation)
                .orElseGet(() -> ServerlessObservation.gone(Optional.empty()));
    }

    private ServerlessObservation observation(EndpointView view) {
        if (view.endedAt().isPresent()) {
            return ServerlessObservation.gone(Optional.of(view.containerTime()));
        }
        BackendAddress address = new BackendAddress(
                addresses.computeIfAbsent(view.name(), name -> URI.create(access.base() + "/serverless/" + name)),
                view.keyRef().flatMap(context.secrets()::get).map(Credential::bearer),
                "/health",
                Optional.of(view.timeout()),
                0);
        return new ServerlessObservation(
                view.phase(),
                view.detail(),
                Optional.of(address),
                OptionalInt.of(view.containers().size()),
                Optional.of(view.containerTime()),
                view.usdPerHour());
    }

    @Override
    public void destroy(ResourceRef resource) {
        access.cloud().deleteEndpoint(resource.id());
        addresses.remove(resource.id());
        context.secrets().remove(ownKey(resource.id()));
    }

    @Override
    public List<FoundResource> find() {
        return access.cloud().endpoints().stream()
                .map(view -> new FoundResource(
                        new ResourceRef(access.provider(), KIND, view.name()),
                        view.owner(),
                        view.deployment(),
                        Optional.of(view.createdAt())))
                .toList();
    }

    /** Nothing to release: the HTTP client belongs to the context. */
    @Override
    public void close() {}
}
