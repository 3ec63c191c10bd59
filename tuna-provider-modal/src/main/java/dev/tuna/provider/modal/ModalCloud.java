package dev.tuna.provider.modal;

import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.Secret;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.LogLine;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Apps on Modal, each with one web function. A resource's id is the app's name, which is known before Modal's own id is and
 * says whose it is. Thread-safe.
 */
final class ModalCloud implements ServerlessCloud {

    private final ProviderContext context;
    private final Modal modal;
    private final Map<String, TrackedApp> tracked = new ConcurrentHashMap<>();

    /**
     * Asks nobody yet.
     *
     * @param inherited this process's own environment, which the command line is given
     */
    ModalCloud(ProviderContext context, Map<String, String> inherited) {
        this.context = context;
        this.modal = new Modal(context, inherited);
    }

    @Override
    public PreflightReport preflight(ServerlessSpec spec, boolean fix) {
        return new ModalPreflight(context, modal, spec).report(() -> plan(spec));
    }

    @Override
    public List<GpuOffer> offers(GpuQuery query) {
        return modal.rates().fresh().offers().filter(query::matches).toList();
    }

    @Override
    public ServerlessPlan plan(ServerlessSpec spec) {
        return AppPlanner.plan(spec, ModalOptions.of(context.settings(), spec.options()), context.ownerId());
    }

    @Override
    public ResourceRef begin(ServerlessPlan plan) {
        AppPlan app = AppPlan.read(plan.body());
        Map<String, Secret> variables = app.variables(context.secrets());
        if (app.tag().access() == Access.PROXY_TOKEN) {
            modal.proxyToken().ensure();
        }
        tracked(app.app())
                .begin(
                        app,
                        variables,
                        () -> app.volume().ifPresent(name -> modal.declareVolume(plan.deployment(), name)));
        return plan.resource();
    }

    @Override
    public ServerlessObservation observe(ResourceRef resource) {
        if (isVolume(resource)) {
            return Observations.volume(modal.api().volumes().stream()
                    .anyMatch(volume -> volume.name().equals(resource.id())));
        }
        return tracked(resource.id()).observe();
    }

    @Override
    public void destroy(ResourceRef resource) {
        if (!isVolume(resource)) {
            tracked(resource.id()).destroy();
        }
        // Of a user's own volume there is none under this name.
        if (AppName.parse(resource.id()).isPresent()) {
            modal.deleteVolume(resource.id());
        }
    }

    private static boolean isVolume(ResourceRef resource) {
        return resource.kind().equals(AppPlanner.VOLUME_KIND);
    }

    @Override
    public List<FoundResource> find() {
        List<FoundResource> all = new ArrayList<>();
        Set<ResourceRef> seen = new HashSet<>(); // two apps of one name are one resource
        modal.apps().all(Duration.ZERO).stream()
                .flatMap(app -> found(AppPlanner.KIND, app.name(), app.createdAt()).stream())
                .filter(found -> seen.add(found.resource()))
                .forEach(all::add);
        modal.deploys().running().stream()
                .flatMap(name -> found(AppPlanner.KIND, name, Optional.empty()).stream())
                .filter(found -> seen.add(found.resource()))
                .forEach(all::add);
        modal.api().volumes().stream()
                .flatMap(volume -> found(AppPlanner.VOLUME_KIND, volume.name(), volume.createdAt()).stream())
                .forEach(all::add);
        return all;
    }

    private static Optional<FoundResource> found(String kind, String name, Optional<Instant> createdAt) {
        return AppName.parse(name)
                .map(parts -> new FoundResource(
                        new ResourceRef(ModalProvider.NAME, kind, name), parts.owner(), parts.deployment(), createdAt));
    }

    @Override
    public List<LogLine> logs(ResourceRef resource, int lines) {
        return isVolume(resource) ? List.of() : modal.api().logs(resource.id(), lines);
    }

    /** A volume of the user's own has another name and may be that of other deployments too. */
    @Override
    public void clearCache(ResourceRef resource) {
        if (AppName.parse(resource.id()).isPresent()) {
            modal.api().clear(resource.id(), AppPlanner.WEIGHTS);
            modal.api().clear(resource.id(), AppPlanner.COMPILED);
        }
    }

    private TrackedApp tracked(String app) {
        return tracked.computeIfAbsent(app, name -> new TrackedApp(modal, name));
    }

    /** Deployments under way go on; the next cloud finds them. */
    @Override
    public void close() {}
}
