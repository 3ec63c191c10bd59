package dev.tuna.provider.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.provider.support.Newest;
import dev.tuna.provider.support.Redaction;
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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Services on Cloud Run. Thread-safe. */
final class CloudRunCloud implements ServerlessCloud {

    private static final Logger LOG = LoggerFactory.getLogger(CloudRunCloud.class);

    /** What of a service follows its plan; traffic and audiences are left as people set them. */
    private static final String FIELDS = "labels,annotations,client,ingress,invokerIamDisabled,scaling,template";

    private static final int ATTEMPTS = 3;

    private static final Duration FRESH = Duration.ofHours(6);
    private static final Duration REST = Duration.ofMinutes(10);

    private final ProviderContext context;
    private final CloudRunSettings settings;
    private final GoogleAccess access;
    private final RunApi api;
    private final ProjectApi projects;
    private final Newest<Prices> prices;
    private final Map<Place, TrackedService> tracked = new ConcurrentHashMap<>();

    CloudRunCloud(ProviderContext context, UnaryOperator<String> environment) {
        this.context = context;
        this.settings = CloudRunSettings.of(context.settings());
        this.access = new GoogleAccess(context, settings, environment);
        this.api = new RunApi(access);
        this.projects = new ProjectApi(access);
        this.prices = new Newest<>(
                "prices",
                Prices.BUILT_IN,
                now -> Prices.BUILT_IN.with(projects.skus(), now),
                FRESH,
                REST,
                context.clock());
    }

    @Override
    public PreflightReport preflight(ServerlessSpec spec, boolean fix) {
        return new CloudRunPreflight(context, settings, access, api, projects, spec).report(() -> plan(spec), fix);
    }

    @Override
    public List<GpuOffer> offers(GpuQuery query) {
        return prices.fresh().offers().filter(query::matches).toList();
    }

    @Override
    public ServerlessPlan plan(ServerlessSpec spec) {
        CloudRunOptions options = CloudRunOptions.of(context.settings(), spec.options());
        return ServicePlanner.plan(
                spec,
                options,
                options.project().or(access::project),
                access.source().variable("GOOGLE_CLOUD_REGION"),
                context.ownerId());
    }

    @Override
    public ResourceRef begin(ServerlessPlan plan) {
        ServicePlan wanted = ServicePlan.read(plan.body());
        Map<String, Secret> secrets = wanted.values(context.secrets());
        TrackedService service = tracked(wanted.place());
        service.change(() -> {
            makeOrUpdate(service, wanted, secrets);
            letIn(wanted);
        });
        return plan.resource();
    }

    private void makeOrUpdate(TrackedService tracker, ServicePlan wanted, Map<String, Secret> secrets) {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            Optional<Service> existing = api.service(wanted.place());
            existing.ifPresent(this::checkOurs);
            if (existing.filter(service -> service.isFrom(wanted.digest(), secrets) && !service.isParked())
                    .isPresent()) {
                return;
            }
            // Either somebody else has just made it, or has just changed it: then look again.
            Optional<Operation> begun = existing.isEmpty()
                    ? api.create(wanted.place(), wanted.request(secrets))
                    : api.update(wanted.place(), change(existing.get(), wanted.request(secrets)), FIELDS);
            if (begun.isPresent()) {
                took(tracker, existing.isEmpty() ? "create service" : "update service", begun.get());
                return;
            }
        }
        throw busy(wanted.place());
    }

    private static void took(TrackedService tracker, String what, Operation operation) {
        operation.error().filter(error -> operation.isDone()).ifPresent(error -> {
            throw CloudRunErrors.of(what, error);
        });
        tracker.began(operation);
    }

    private void checkOurs(Service service) {
        if (service.isBeingDeleted()) {
            throw ProviderException.of(CloudRunProvider.NAME, "update service")
                    .retryable(true)
                    .message(service.name() + " is still being deleted")
                    .build();
        }
        if (!service.isOwnedBy(context.ownerId())) {
            throw new ConfigurationException(
                    ErrorCode.NAME_TAKEN,
                    "service " + service.name() + " exists and was not made by this installation;"
                            + " give the deployment another name");
        }
    }

    /** A service that was guarded by IAM is opened only when what demands a key serves; see TrackedService. */
    private static ObjectNode change(Service existing, ObjectNode request) {
        if (!existing.isOpenToAll()) {
            request.put("invokerIamDisabled", false);
        }
        return request.put("etag", existing.etag());
    }

    /** Lets the router's account call a private service; whoever may not grant that may have had it granted. */
    private void letIn(ServicePlan plan) {
        JsonNode service = plan.service();
        if (service.path("invokerIamDisabled").asBoolean()) {
            return;
        }
        Optional<String> account =
                access.invoker(service.path("annotations").path(Service.INVOKER).asText(""));
        if (account.isEmpty()) {
            return;
        }
        try {
            JsonNode policy = api.policy(plan.place());
            if (!Invokers.allows(policy, account.get())) {
                api.setPolicy(plan.place(), Invokers.adding(policy, account.get()));
            }
        } catch (ProviderException e) {
            if (e.code() != ErrorCode.CREDENTIALS) {
                throw e;
            }
            LOG.warn(
                    "{}: {} cannot be given the role {} and needs to have it already: {}",
                    plan.place().service(),
                    account.get(),
                    Invokers.ROLE,
                    e.getMessage());
        }
    }

    @Override
    public ServerlessObservation observe(ResourceRef resource) {
        Place place = Place.of(resource);
        return tracked(place)
                .observe(
                        context.clock().instant(),
                        settings.observeInterval(),
                        look -> Observations.of(look, place.region(), access::idToken, prices.fresh()));
    }

    @Override
    public void destroy(ResourceRef resource) {
        Place place = Place.of(resource);
        tracked(place).change(() -> api.delete(place));
    }

    @Override
    public List<LogLine> logs(ResourceRef resource, int lines) {
        Place place = Place.of(resource);
        return api.service(place)
                .map(service -> ServiceLogs.lines(
                        projects.logs(place.project(), ServiceLogs.filter(place), lines),
                        Redaction.of(service.values())))
                .orElse(List.of());
    }

    @Override
    public void park(ResourceRef resource) {
        scale(
                resource,
                false,
                ServicePlan.JSON.createObjectNode().put("scalingMode", "MANUAL").put("manualInstanceCount", 0));
    }

    @Override
    public void unpark(ResourceRef resource) {
        scale(resource, true, ServicePlan.JSON.createObjectNode().put("scalingMode", "AUTOMATIC"));
    }

    private void scale(ResourceRef resource, boolean parked, ObjectNode scaling) {
        Place place = Place.of(resource);
        TrackedService service = tracked(place);
        service.change(() -> api.service(place)
                .filter(each -> each.isParked() == parked && !each.isBeingDeleted())
                .ifPresent(each -> {
                    ObjectNode change = ServicePlan.JSON.createObjectNode();
                    change.set("scaling", scaling);
                    service.began(api.update(place, change, "scaling").orElseThrow(() -> busy(place)));
                }));
    }

    private static ProviderException busy(Place place) {
        return ProviderException.of(CloudRunProvider.NAME, "update service")
                .retryable(true)
                .message(place + " is being changed by somebody else")
                .build();
    }

    /** Cloud Run lists one region at a time: those that have GPUs, and those in use. */
    @Override
    public List<FoundResource> find() {
        CloudRunOptions options = CloudRunOptions.of(context.settings(), Map.of());
        String project = options.project()
                .or(access::project)
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.NOT_CONFIGURED,
                        "provider cloudrun: the project is not known; set the setting project, or the variable"
                                + " GOOGLE_CLOUD_PROJECT"));
        Set<String> regions = new TreeSet<>(GpuType.allRegions());
        options.region().ifPresent(regions::add);
        tracked.keySet().stream().map(Place::region).forEach(regions::add);
        List<FoundResource> found = new ArrayList<>();
        for (String region : regions) {
            api.services(project, region).stream()
                    .flatMap(service -> service.found().stream())
                    .forEach(found::add);
        }
        return found;
    }

    private TrackedService tracked(Place place) {
        return tracked.computeIfAbsent(place, where -> new TrackedService(api, projects, where));
    }

    /** Nothing to release: the HTTP client belongs to the context. */
    @Override
    public void close() {}
}
