package dev.tuna.core;

import dev.tuna.api.Budget;
import dev.tuna.api.BudgetReport;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ControlPlane;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeployPlan;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DeploymentSummary;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.LogEntry;
import dev.tuna.api.Orphan;
import dev.tuna.api.OrphanReport;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.RouterPlacement;
import dev.tuna.api.Secret;
import dev.tuna.api.StoreException;
import dev.tuna.core.catalog.GpuNames;
import dev.tuna.core.control.Archive;
import dev.tuna.core.control.Controller;
import dev.tuna.core.control.Handover;
import dev.tuna.core.control.Stray;
import dev.tuna.core.control.Summaries;
import dev.tuna.core.machine.RouterVms;
import dev.tuna.core.machine.Strays;
import dev.tuna.core.provider.Preflights;
import dev.tuna.core.remote.ControlServer;
import dev.tuna.core.remote.Lodging;
import dev.tuna.core.remote.RemoteControlPlane;
import dev.tuna.core.store.SqliteStateStore;
import dev.tuna.core.text.Suggestions;
import dev.tuna.spi.StateStore;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/**
 * Serves models from serverless and rented GPUs behind one OpenAI-compatible endpoint.
 *
 * <pre>{@code
 * try (Tuna tuna = Tuna.builder().start()) {
 *     Deployment chat = tuna.deploy(DeployRequest.builder("Qwen/Qwen3-0.6B", "L4").serviceName("chat").build());
 *     // chat.endpoint() and chat.apiKey() go into any OpenAI client, and answer from now on.
 *     chat.ready().join();
 *     ...
 *     chat.destroy().join();
 * }
 * }</pre>
 *
 * <p>What runs outside is known to the state directory: closing this object destroys nothing, and the next one that is
 * started on the same directory looks after it again. Thread-safe; several can live in one JVM, each with a state directory
 * and a port of its own.
 */
public final class Tuna implements ControlPlane {

    private final Installation installation;
    private final Controller controller;
    private final Planner planner;
    private final RouterVms vms;

    /** Set before anybody else sees this object. */
    private Optional<ControlServer> controlEndpoint = Optional.empty();

    private boolean isLodging;

    Tuna(Installation installation, Controller controller, Function<Strays, RouterVms> vms) {
        this.installation = installation;
        this.controller = controller;
        this.planner = new Planner(installation.clouds(), installation.catalog(), installation.orphanTimeout());
        this.vms = vms.apply(new Strays() {
            @Override
            public Left of(String name) {
                return strays().of(name);
            }

            @Override
            public void remove(Stray stray) {
                strays().remove(stray.resource());
            }
        });
    }

    /**
     * Starts with the defaults: state in {@code ~/.tuna}, endpoint at {@code 127.0.0.1:8080}, the providers on the class
     * path.
     *
     * @return a new builder
     */
    public static TunaBuilder builder() {
        return new TunaBuilder();
    }

    /**
     * Lets another process act on what the process that controls a state directory looks after.
     *
     * @param stateDirectory its state directory
     * @return its control plane, to be closed by the caller; empty if no process controls the directory now, or it has no
     *     control endpoint
     * @throws dev.tuna.api.StoreException {@code STORE_TOO_NEW} if that process runs a version that this one cannot talk to,
     *     {@code STORE_UNWRITABLE} if the directory cannot be read
     * @throws dev.tuna.api.TimedOutException if it runs and does not answer
     * @see TunaBuilder#startOrJoin()
     */
    public static Optional<ControlPlane> running(Path stateDirectory) {
        return RemoteControlPlane.of(Objects.requireNonNull(stateDirectory, "stateDirectory"));
    }

    /**
     * What a state directory knows, for a process that neither controls it nor wants to: nothing is started, and no provider
     * is asked anything. The directory is locked for as long as it takes.
     *
     * @param stateDirectory a state directory; one that does not exist holds nothing, and is not made
     * @param over how many of the deployments that are over, 0 or more
     * @return those that live, oldest first, then those that are over, newest first
     * @throws StoreException {@code STORE_LOCKED} if a process controls it: then ask that one; others if it cannot be read
     */
    public static List<DeploymentSummary> stored(Path stateDirectory, int over) {
        return Files.exists(stateDirectory.resolve(SqliteStateStore.FILE)) ? storedIn(stateDirectory, over) : List.of();
    }

    private static List<DeploymentSummary> storedIn(Path stateDirectory, int over) {
        try (StateStore store = SqliteStateStore.open(stateDirectory, InstantSource.system())) {
            return Summaries.of(store, over);
        }
    }

    /** Lets other processes in from now on, until this is closed. */
    void openControlEndpoint(Path stateDirectory, RandomGenerator random) {
        controlEndpoint = Optional.of(ControlServer.open(this, stateDirectory, random));
    }

    /** Lets hosts elsewhere in from now on, until this is closed. */
    void openLodging(int port, Secret token, UnaryOperator<Lodging> program) {
        isLodging = true;
        Lodging lodger =
                program.apply(new Lodger(controller.handover(), controller.treasury(), installation.secrets()));
        controlEndpoint = Optional.of(ControlServer.at(this, port, token, lodger));
    }

    @Override
    public Deployment deploy(DeployRequest request) {
        Objects.requireNonNull(request, "request");
        DeployRequest complete = planner.complete(request, installation::randomName);
        return isForVm(complete)
                ? vms.deploy(complete, planner.cloud(complete))
                : controller.accept(complete, planner.cloud(complete));
    }

    /** What is on a machine already stays there. */
    private boolean isForVm(DeployRequest request) {
        return request.routerPlacement() == RouterPlacement.SEPARATE_VM && !isLodging;
    }

    @Override
    public Deployment redeploy(DeployRequest request) {
        Objects.requireNonNull(request, "request");
        DeployRequest complete = planner.complete(request, () -> {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "the request to redeploy has no serviceName; set that of the deployment to be changed");
        });
        Optional<Deployment> elsewhere = vms.find(complete.serviceName().orElseThrow());
        return elsewhere.isPresent() ? vms.redeploy(complete) : controller.redeploy(complete, planner.cloud(complete));
    }

    @Override
    public List<Deployment> deployments() {
        Stream<Deployment> here = controller.all().stream()
                .filter(deployment -> vms.find(deployment.name()).isEmpty());
        return Stream.concat(here, vms.all().stream()).toList();
    }

    @Override
    public Optional<Deployment> deployment(String name) {
        return vms.find(Objects.requireNonNull(name, "name")).or(() -> controller.find(name));
    }

    @Override
    public List<DeploymentSummary> summaries(int over) {
        return Summaries.of(installation.store(), over);
    }

    /**
     * Whether the clouds have been asked about everything that an earlier process left: until then a status shows what was
     * stored.
     *
     * @return true if so, and always if there was nothing
     */
    public boolean hasSeenAll() {
        return unseen().isEmpty();
    }

    /**
     * The clouds, and the machines of routers, that have not yet told about something that an earlier process left.
     *
     * @return names of providers, and {@code router VM NAME}; empty once {@link #hasSeenAll}
     */
    public SortedSet<String> unseen() {
        var unseen = new TreeSet<>(controller.inventory().unseen());
        vms.unseen().forEach(vm -> unseen.add("router VM " + vm));
        return unseen;
    }

    @Override
    public DeploymentStatus status(String name) {
        return deployment(name)
                .map(Deployment::status)
                .orElseGet(() -> ended(name).status());
    }

    @Override
    public CostReport cost(String name) {
        return deployment(name)
                .map(Deployment::cost)
                .orElseGet(() -> ended(name).cost());
    }

    private Archive.Ended ended(String name) {
        return controller.archive().ended(name).orElseThrow(() -> noSuch(name));
    }

    private ConfigurationException noSuch(String name) {
        List<String> live =
                deployments().stream().map(Deployment::name).sorted().toList();
        return new ConfigurationException(
                ErrorCode.NO_SUCH_DEPLOYMENT,
                "no deployment is named '" + name + "'; " + Suggestions.didYouMean(name, live)
                        + (live.isEmpty() ? "none is live" : "live are " + String.join(", ", live)));
    }

    @Override
    public BudgetReport overallBudget() {
        return controller.treasury().budget();
    }

    @Override
    public void setOverallBudget(Budget limits) {
        controller.treasury().setBudget(Objects.requireNonNull(limits, "limits"));
    }

    @Override
    public CompletableFuture<DestroyReport> destroy(String name) {
        return deployment(name).orElseThrow(() -> noSuch(name)).destroy();
    }

    /**
     * Checks whether a provider could be used: credentials, quota, region, tools. Blocks; creates nothing.
     *
     * @param provider name of a serverless or spot provider
     * @param options options for it, as in {@link DeployRequest#providerOptions()}
     * @return every check, each failed one with its fix
     * @throws dev.tuna.api.ProviderNotFoundException if no provider has this name
     */
    public PreflightReport check(String provider, Map<String, String> options) {
        return check(provider, Preflights.DEFAULT_GPU, options, false);
    }

    @Override
    public PreflightReport check(String provider, String gpu, Map<String, String> options, boolean fix) {
        Objects.requireNonNull(provider, "provider");
        String known = GpuNames.require(Objects.requireNonNull(gpu, "gpu")).name();
        return new Preflights(installation.clouds()).check(provider, known, Map.copyOf(options), fix);
    }

    @Override
    public List<LogEntry> logs(String name, int lines) {
        if (vms.find(name).isPresent()) {
            return vms.soonArrived(name).logs(name, lines);
        }
        return endpoints(name).logs(lines);
    }

    @Override
    public List<String> clearCache(String name) {
        if (vms.find(name).isPresent()) {
            return vms.soonArrived(name).clearCache(name);
        }
        return endpoints(name).clearCache();
    }

    private Endpoints endpoints(String name) {
        Objects.requireNonNull(name, "name");
        return new Endpoints(
                installation.clouds(), controller.inventory().endpoints(name).orElseThrow(() -> noSuch(name)));
    }

    @Override
    public List<GpuOffer> gpus(GpuQuery query) {
        return planner.offers(Objects.requireNonNull(query, "query"));
    }

    @Override
    public DeployPlan plan(DeployRequest request) {
        Objects.requireNonNull(request, "request");
        DeployRequest complete = planner.complete(request, installation::randomName);
        DeployPlan plan = planner.plan(complete);
        return isForVm(complete) ? plan.withRouter(vms.preview(complete, planner.cloud(complete))) : plan;
    }

    @Override
    public Subscription events(Consumer<DeploymentEvent> listener) {
        return controller.subscribe(Objects.requireNonNull(listener, "listener"))::run;
    }

    @Override
    public OrphanReport orphans() {
        return strays().search();
    }

    @Override
    public Deployment adopt(Orphan orphan) {
        return strays().adopt(Objects.requireNonNull(orphan, "orphan"));
    }

    @Override
    public boolean destroy(Orphan orphan) {
        return strays().destroy(Objects.requireNonNull(orphan, "orphan"));
    }

    private Orphans strays() {
        return new Orphans(
                installation.clouds(),
                installation.store().ownerId(),
                controller,
                isLodging ? this::isOfLodger : this::isOfHost);
    }

    /** On a machine: what lives or lived here. */
    private Predicate<String> isOfLodger() {
        List<String> here = controller.all().stream().map(Deployment::name).toList();
        return outside -> controller.handover().isHere(outside)
                || (!controller.handover().isElsewhere(outside) && isOfAny(here, outside));
    }

    /** In a host: all that is not on its machines, whoever brought it there. */
    private Predicate<String> isOfHost() {
        Set<String> guests = vms.guests();
        return outside -> !controller.handover().isElsewhere(outside) && !isOfAny(guests, outside);
    }

    private static boolean isOfAny(Collection<String> deployments, String outside) {
        return deployments.stream().anyMatch(name -> Handover.isOf(name, outside));
    }

    @Override
    public List<DeploymentStatus> history(int limit) {
        return controller.archive().ended(limit).stream()
                .map(Archive.Ended::status)
                .toList();
    }

    /**
     * Where the endpoint listens, for its admin paths {@code /router/...}; clients want {@link Deployment#endpoint()}.
     *
     * @return base URL without path
     */
    public URI address() {
        return controller.address();
    }

    /**
     * The key for the admin paths, sent as {@code Authorization: Bearer}. The same over restarts.
     *
     * @return the key
     */
    public Secret adminKey() {
        return installation.adminKey();
    }

    /**
     * The machines on which deployments of this installation live on when this process ends.
     *
     * @return to be used until this is closed
     */
    public RouterVms routerVms() {
        return vms;
    }

    /**
     * Whether anything is looked after here: a deployment that lives, or one that is being handed over.
     *
     * @return false if this process could end and nothing would be missed
     */
    public boolean isInUse() {
        return !controller.all().isEmpty() || controller.handover().isLeaving();
    }

    /**
     * Gives control up for a successor on the same state and the same address, and goes on routing with the routes there are
     * until {@link #close()}: what is in flight comes to its end here. Waits for calls to providers that are under way, up to
     * minutes if one hangs. Requires a store of the caller's, who closes it next.
     */
    public void retire() {
        controller.retire();
        controlEndpoint.ifPresent(ControlServer::close);
    }

    /**
     * Stops the endpoint and all work, in bounded time. Destroys nothing: rented replicas wait for the next start until the
     * orphan timeout, always-on workers go on being billed; what is still billed is logged. Idempotent.
     */
    @Override
    public void close() {
        controlEndpoint.ifPresent(ControlServer::close);
        vms.close();
        controller.close();
        installation.close();
    }
}
