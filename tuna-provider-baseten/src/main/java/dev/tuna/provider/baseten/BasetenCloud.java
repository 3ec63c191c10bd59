package dev.tuna.provider.baseten;

import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.PreflightReport;
import dev.tuna.provider.support.Newest;
import dev.tuna.provider.support.Redaction;
import dev.tuna.provider.support.Sleeper;
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
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/**
 * Models on Baseten. A resource's id is the model's name, which is known before Baseten's own id is: after a crash the model
 * is found by it. Thread-safe.
 */
final class BasetenCloud implements ServerlessCloud {

    private static final Duration FRESH = Duration.ofMinutes(10);
    private static final Duration REST = Duration.ofMinutes(1);

    private final ProviderContext context;
    private final BasetenSettings settings;
    private final BasetenApi api;
    private final ArchiveUpload upload;
    private final WorkspaceSecrets secrets;
    private final Newest<InstanceCatalog> catalog;
    private final Map<String, TrackedModel> tracked = new ConcurrentHashMap<>();
    private final Map<String, KeyScheme> schemes = new ConcurrentHashMap<>();
    private final Map<String, Optional<FoundResource>> labels = new ConcurrentHashMap<>();

    /**
     * @param environment looks up an environment variable; null stands for "not set"
     * @param sleeper waits between attempts of a call
     */
    BasetenCloud(ProviderContext context, UnaryOperator<String> environment, Sleeper sleeper) {
        this.context = context;
        this.settings = BasetenSettings.of(context.settings());
        this.api = new BasetenApi(context, settings, environment, sleeper);
        this.upload = new ArchiveUpload(context);
        this.secrets = new WorkspaceSecrets(context, api);
        this.catalog = new Newest<>(
                "machines and prices", InstanceCatalog.BUILT_IN, api::instanceTypes, FRESH, REST, context.clock());
    }

    @Override
    public PreflightReport preflight(ServerlessSpec spec, boolean fix) {
        return new BasetenPreflight(context, settings, api, catalog, spec).report(() -> plan(spec));
    }

    @Override
    public List<GpuOffer> offers(GpuQuery query) {
        return catalog.fresh().offers().filter(query::matches).toList();
    }

    @Override
    public ServerlessPlan plan(ServerlessSpec spec) {
        return ModelPlanner.plan(
                spec, BasetenOptions.of(context.settings(), spec.options()), catalog.known(), context.ownerId());
    }

    @Override
    public ResourceRef begin(ServerlessPlan plan) {
        ModelPlan wanted = ModelPlan.read(plan.body());
        Instant now = context.clock().instant();
        secrets.put(plan.deployment(), wanted.secrets());
        tracked(plan.resource()).begin(() -> new ModelPush(api, upload, wanted, now).run(), wanted.settings(), now);
        return plan.resource();
    }

    @Override
    public ServerlessObservation observe(ResourceRef resource) {
        if (isSecret(resource)) {
            return observeSecret(resource);
        }
        return tracked(resource)
                .observe(
                        context.clock().instant(),
                        settings.observeInterval(),
                        look -> Observations.of(look, settings, credential(look), catalog.fresh()));
    }

    /** Asked for once a model can tell it. */
    private Credential credential(Look look) {
        KeyScheme known = schemes.get(look.modelId());
        if (known == null && look.newest().filter(look::serves).isPresent()) {
            known = api.endpointScheme(look.modelId()).orElse(null);
        }
        if (known != null) {
            schemes.put(look.modelId(), known);
        }
        return api.endpointCredential(known == null ? KeyScheme.BEARER : known);
    }

    private ServerlessObservation observeSecret(ResourceRef resource) {
        return secrets.all().stream()
                .filter(secret -> secret.name().equals(resource.id()))
                .findFirst()
                .map(secret -> Observations.ofHelper())
                .orElseGet(() -> ServerlessObservation.gone(Optional.empty()));
    }

    @Override
    public void destroy(ResourceRef resource) {
        if (isSecret(resource)) {
            secrets.remove(resource);
            return;
        }
        tracked(resource).replace(() -> {
            api.models(resource.id()).forEach(model -> {
                api.deleteModel(model.id());
                schemes.remove(model.id());
            });
            secrets.removeOf(resource.id());
        });
    }

    @Override
    public List<LogLine> logs(ResourceRef resource, int lines) {
        return isSecret(resource) ? List.of() : tracked(resource).logs(lines, Redaction.of(List.of()));
    }

    @Override
    public void park(ResourceRef resource) {
        if (!isSecret(resource)) {
            tracked(resource).park();
        }
    }

    @Override
    public void unpark(ResourceRef resource) {
        if (!isSecret(resource)) {
            tracked(resource).unpark();
        }
    }

    private static boolean isSecret(ResourceRef resource) {
        return resource.kind().equals(WorkspaceSecret.KIND);
    }

    @Override
    public List<FoundResource> find() {
        List<FoundResource> found = new ArrayList<>();
        Set<ResourceRef> seen = new HashSet<>(); // two models of one name are one resource
        List<Model> models = api.models();
        labels.keySet().retainAll(models.stream().map(Model::id).toList());
        models.stream()
                .filter(model -> ModelPlanner.mayBeName(model.name()))
                .sorted(Model.OLDEST_FIRST)
                .flatMap(model -> found(model).stream())
                .filter(resource -> seen.add(resource.resource()))
                .forEach(found::add);
        secrets.allIfAllowed().forEach(secret -> found.add(secret.found()));
        return found;
    }

    /** Labels do not change; a model that has none yet is asked again. */
    private Optional<FoundResource> found(Model model) {
        Optional<FoundResource> known = labels.getOrDefault(model.id(), Optional.empty());
        if (known.isPresent()) {
            return known;
        }
        Optional<FoundResource> found = api.deployments(model.id()).orElse(List.of()).stream()
                .flatMap(deployment -> deployment.found(model).stream())
                .findFirst();
        labels.put(model.id(), found);
        return found;
    }

    private TrackedModel tracked(ResourceRef resource) {
        return tracked.computeIfAbsent(resource.id(), name -> new TrackedModel(api, name));
    }

    /** Nothing to release: the HTTP client belongs to the context. */
    @Override
    public void close() {}
}
