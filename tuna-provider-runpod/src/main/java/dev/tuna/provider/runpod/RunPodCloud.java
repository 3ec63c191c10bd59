package dev.tuna.provider.runpod;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.ProviderException;
import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Newest;
import dev.tuna.spi.Credential;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.LogLine;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * Endpoints on RunPod. A resource's id is the endpoint's name, which is known before RunPod's own id is: after a crash the
 * endpoint is found by it. Thread-safe.
 */
final class RunPodCloud implements ServerlessCloud {

    private static final int LAST_WORDS = 3;

    private static final Duration FRESH = Duration.ofMinutes(10);
    private static final Duration REST = Duration.ofMinutes(1);

    private final ProviderContext context;
    private final RunPodSettings settings;
    private final RunPodApi api;
    private final Newest<GpuCatalog> catalog;
    private final Map<String, TrackedEndpoint> tracked = new ConcurrentHashMap<>();

    RunPodCloud(ProviderContext context, UnaryOperator<String> environment) {
        this.context = context;
        this.settings = RunPodSettings.of(context.settings());
        this.api = new RunPodApi(context, settings, environment);
        this.catalog = new Newest<>("GPUs and prices", GpuCatalog.BUILT_IN, api::gpus, FRESH, REST, context.clock());
    }

    @Override
    public PreflightReport preflight(ServerlessSpec spec, boolean fix) {
        return new RunPodPreflight(context, settings, api, catalog, spec).report(() -> plan(spec));
    }

    @Override
    public List<GpuOffer> offers(GpuQuery query) {
        return catalog.fresh().offers().filter(query::matches).toList();
    }

    @Override
    public ServerlessPlan plan(ServerlessSpec spec) {
        return EndpointPlanner.plan(
                spec, RunPodOptions.of(context.settings(), spec.options()), catalog.known(), context.ownerId());
    }

    @Override
    public ResourceRef begin(ServerlessPlan plan) {
        EndpointPlan read = EndpointPlan.read(plan.body());
        api.remember(read.secrets(context.secrets()));
        Map<String, Object> request = read.request(context.secrets());
        TrackedEndpoint endpoint = tracked(plan.resource());
        endpoint.change(() -> makeOrUpdate(endpoint, request));
        return plan.resource();
    }

    private void makeOrUpdate(TrackedEndpoint endpoint, Map<String, Object> request) {
        List<Endpoint> existing = endpoint.named(api.endpoints());
        if (existing.isEmpty()) {
            Endpoint made = api.create(request);
            // Somebody else may have done the same, or an answer that was lost may have been a yes.
            List<Endpoint> all = new ArrayList<>(endpoint.named(api.endpoints()));
            if (all.stream().noneMatch(each -> each.id().equals(made.id()))) {
                all.add(made);
            }
            existing = all.stream().sorted(Endpoint.OLDEST_FIRST).toList();
        }
        existing.stream().skip(1).forEach(spare -> api.delete(spare.id()));
        Endpoint kept = existing.get(0);
        Map<String, Object> changes = EndpointChanges.of(kept, request);
        if (!changes.isEmpty()) {
            api.update(kept.id(), changes);
        }
    }

    @Override
    public ServerlessObservation observe(ResourceRef resource) {
        Credential credential = api.endpointCredential();
        return tracked(resource)
                .observe(
                        context.clock().instant(),
                        settings.observeInterval(),
                        look -> withLastWords(
                                Observations.of(look, settings.serverlessUrl(), credential, catalog.fresh()), look));
    }

    private static ServerlessObservation withDetail(ServerlessObservation seen, String detail) {
        return new ServerlessObservation(
                seen.phase(), detail, seen.address(), seen.containers(), seen.containerTime(), seen.usdPerHour());
    }

    /** Why workers cannot start stands in their logs only. */
    private ServerlessObservation withLastWords(ServerlessObservation seen, TrackedEndpoint.Look look) {
        if (seen.phase() != BackendPhase.FAILED || !look.workers().isBroken()) {
            return seen;
        }
        try {
            List<LogLine> lines = new WorkerLogs(api, look.endpoint()).newest(LAST_WORDS);
            String words = lines.stream().map(LogLine::text).collect(Collectors.joining(" | "));
            return words.isEmpty() ? seen : withDetail(seen, seen.detail() + "; last lines: " + words);
        } catch (TunaException e) {
            return seen;
        }
    }

    @Override
    public void destroy(ResourceRef resource) {
        TrackedEndpoint endpoint = tracked(resource);
        endpoint.change(() -> endpoint.named(api.endpoints()).forEach(this::delete));
    }

    private void delete(Endpoint endpoint) {
        try {
            api.delete(endpoint.id());
        } catch (ProviderException e) {
            int status = e.httpStatus().orElse(0);
            if (status != 400 && status != 409) {
                throw e;
            }
            // Its first API deleted nothing that might still have workers.
            api.update(endpoint.id(), Map.of("workers", Map.of("min", 0, "max", 0)));
            api.delete(endpoint.id());
        }
    }

    @Override
    public List<FoundResource> find() {
        Set<ResourceRef> seen = new HashSet<>(); // two endpoints of one name are one resource
        return api.endpoints().stream()
                .sorted(Endpoint.OLDEST_FIRST)
                .flatMap(endpoint -> endpoint.found().stream())
                .filter(found -> seen.add(found.resource()))
                .toList();
    }

    @Override
    public List<LogLine> logs(ResourceRef resource, int lines) {
        return tracked(resource).named(api.endpoints()).stream()
                .findFirst()
                .map(endpoint -> new WorkerLogs(api, endpoint).newest(lines))
                .orElse(List.of());
    }

    @Override
    public void park(ResourceRef resource) {
        changeEach(resource, Endpoint::parking);
    }

    @Override
    public void unpark(ResourceRef resource) {
        changeEach(resource, Endpoint::unparking);
    }

    private void changeEach(ResourceRef resource, Function<Endpoint, Map<String, Object>> changes) {
        TrackedEndpoint endpoint = tracked(resource);
        endpoint.change(() -> endpoint.named(api.endpoints()).forEach(each -> {
            Map<String, Object> wanted = changes.apply(each);
            if (!wanted.isEmpty()) {
                api.update(each.id(), wanted);
            }
        }));
    }

    private TrackedEndpoint tracked(ResourceRef resource) {
        return tracked.computeIfAbsent(resource.id(), name -> new TrackedEndpoint(api, name));
    }

    /** Nothing to release: the HTTP client belongs to the context. */
    @Override
    public void close() {}
}
