package dev.tuna.core.machine;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeployPlan;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.api.TimedOutException;
import dev.tuna.api.TunaException;
import dev.tuna.core.catalog.Price;
import dev.tuna.core.control.Bundle;
import dev.tuna.core.control.Controller;
import dev.tuna.core.control.Custody;
import dev.tuna.core.control.Handover;
import dev.tuna.core.control.Stray;
import dev.tuna.core.control.Threads;
import dev.tuna.core.control.Treasury;
import dev.tuna.core.control.Turns;
import dev.tuna.core.provider.Clouds;
import dev.tuna.core.remote.NextJar;
import dev.tuna.core.remote.RemoteControlPlane;
import dev.tuna.spi.FoundRouterVm;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.ResourceRecord.State;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterCloud;
import dev.tuna.spi.RouterVmObservation;
import dev.tuna.spi.RouterVmPlan;
import dev.tuna.spi.RouterVmSpec;
import dev.tuna.spi.SecretStore;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateStore;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The router VMs of this installation: makes them, hands deployments over to them, takes them back, and removes them when
 * nothing is left on them. What is begun here is in the store first, and goes on in the next process.
 *
 * <p>Thread-safe. Has no thread until there is a router VM; then each is looked after, one step at a time, and none waits for
 * another. What takes long is done with no lock but the turn of the deployment that it concerns.
 */
public final class RouterVms implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(RouterVms.class);

    /** How long a machine that does not answer is waited for before what is to be destroyed is destroyed without it. */
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    /** How long a cloud may take to confirm that a machine is gone before whoever destroys is told that it has not. */
    private static final Duration CLOUDS_PATIENCE = Duration.ofMinutes(5);

    private static final Duration BETWEEN_STEPS = Duration.ofSeconds(1);

    /** How old what machines know of each other's spending may be. */
    private static final Duration BETWEEN_SETTLEMENTS = Duration.ofSeconds(15);

    /** What follows the id of a handover when the same deployment comes back. */
    private static final String BACK = "-back";

    /** The option that names the machine; several deployments may name the same. */
    private static final String VM_NAME = "router_vm";

    private static final int ID_BYTES = 8;

    /** What a machine that is lost, or reboots, is seen by. */
    private static final Set<ErrorCode> LOST =
            Set.of(ErrorCode.CLOSED, ErrorCode.TIMEOUT, ErrorCode.UNREACHABLE, ErrorCode.NO_SUCH_DEPLOYMENT);

    private final StateStore store;
    private final SecretStore secrets;
    private final Clouds clouds;
    private final Controller controller;
    private final Handover handover;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final Duration orphanTimeout;
    private final Map<String, Map<String, String>> settings;
    private final RouterVmOptions options;
    private final Optional<List<Price>> prices;
    private final Strays strays;

    private final Map<String, RouterVm> vms = new ConcurrentHashMap<>();
    private final Set<String> confirmed = ConcurrentHashMap.newKeySet();
    private final Set<String> kept = ConcurrentHashMap.newKeySet();
    private final Turns turns = new Turns();
    private final ReentrantLock lock = new ReentrantLock(); // never held while anybody outside is asked
    private final Condition changed = lock.newCondition();
    private Optional<ScheduledExecutorService> worker = Optional.empty(); // guarded by lock
    private volatile Optional<ExecutorService> waiters = Optional.empty(); // written under lock
    private boolean closed; // guarded by lock

    /** What a machine that is gone has made at the providers. */
    public interface Strays {

        /**
         * What was found.
         *
         * @param anything whether anything of the deployment runs, be it known or not
         * @param unknown what runs and the store does not know
         */
        record Left(boolean anything, List<Stray> unknown) {

            /** Copies the list. */
            public Left {
                unknown = List.copyOf(unknown);
            }
        }

        /**
         * Looks for it.
         *
         * @param name the deployment that it was made for
         * @return what runs
         * @throws TunaException if a cloud that is used cannot be searched; to be tried again
         */
        Left of(String name);

        /**
         * Removes something.
         *
         * @param stray what nobody has use for
         */
        void remove(Stray stray);
    }

    /**
     * Goes on with what an earlier process began.
     *
     * @param store where state is kept
     * @param secrets where secrets are kept
     * @param clouds the providers
     * @param controller of the deployments that are looked after here
     * @param clock wall time
     * @param random makes ids and tokens
     * @param orphanTimeout how long replicas, and machines that are not needed, wait for a controller
     * @param settings of this installation by provider
     * @param options what machines run
     * @param prices the user's own, for machines to bill by; empty if none were given
     * @param strays finds what a machine that is gone has made
     */
    public RouterVms(
            StateStore store,
            SecretStore secrets,
            Clouds clouds,
            Controller controller,
            InstantSource clock,
            RandomGenerator random,
            Duration orphanTimeout,
            Map<String, Map<String, String>> settings,
            RouterVmOptions options,
            Optional<List<Price>> prices,
            Strays strays) {
        this.store = store;
        this.secrets = secrets;
        this.clouds = clouds;
        this.controller = controller;
        this.handover = controller.handover();
        this.clock = clock;
        this.random = random;
        this.orphanTimeout = orphanTimeout;
        this.settings = Map.copyOf(settings);
        this.options = options;
        this.prices = prices;
        this.strays = strays;
        store.load().resources().stream()
                .filter(VmRecord::isOne)
                .map(VmRecord::of)
                .forEach(record -> vms.put(record.name(), new RouterVm(record).stored()));
        if (!vms.isEmpty()) {
            begin();
        }
    }

    /**
     * Accepts a deployment that is to live on a machine: when this returns it is on disk, and the machine is asked for if it
     * is not there yet.
     *
     * @param request complete
     * @param cloud who rents its replicas; empty for none
     * @return a handle
     * @throws ConfigurationException if there is no cloud for routers, an option is wrong, or the name is taken
     */
    public Deployment deploy(DeployRequest request, Optional<String> cloud) {
        Place place = place(request, cloud);
        bring(place, (vm, beside) -> controller.acceptFor(request, cloud, id(), vm.name(), beside));
        return handle(request.serviceName().orElseThrow());
    }

    /** Has something brought to a machine, which does not end meanwhile, and is made, if it is not there, once that is stored. */
    private void bring(Place place, BiConsumer<RouterVm, List<ResourceRecord>> store) {
        RouterVm vm = expect(place);
        try {
            store.accept(vm, vm.isStored() ? List.of() : List.of(vm.record().record(clock.instant())));
            vm.stored();
        } finally {
            expectNoMore(vm);
        }
        begin();
    }

    /**
     * The machine that a deployment would live on. Asks nobody.
     *
     * @param request complete
     * @param cloud who rents its replicas; empty for none
     * @return what would be sent, or was sent for the one that is there
     * @throws ConfigurationException if there is no cloud for routers, or an option is wrong
     */
    public DeployPlan.RouterMachine preview(DeployRequest request, Optional<String> cloud) {
        Place place = place(request, cloud);
        Optional<VmRecord> there = Optional.ofNullable(vms.get(place.name())).map(RouterVm::record);
        RouterVmPlan plan = there.orElseGet(() -> plan(place)).plan();
        return new DeployPlan.RouterMachine(
                place.provider(),
                place.name(),
                there.isPresent(),
                plan.machine(),
                plan.region(),
                plan.usdPerHour(),
                plan.summary(),
                plan.body());
    }

    private RouterVm expect(Place place) {
        Optional<VmRecord> fresh = vms.containsKey(place.name()) ? Optional.empty() : Optional.of(plan(place));
        lock.lock();
        try {
            RouterVm vm = vms.computeIfAbsent(place.name(), name -> new RouterVm(fresh.orElseGet(() -> plan(place))));
            if (vm.record().state() == State.ENDING) {
                throw new ConfigurationException(
                        ErrorCode.NAME_TAKEN, "router VM '" + vm.name() + "' is being removed; try again in a minute");
            }
            vm.expected++;
            return vm;
        } finally {
            lock.unlock();
        }
    }

    private void expectNoMore(RouterVm vm) {
        lock.lock();
        try {
            vm.expected--;
            if (vm.expected == 0 && !vm.isStored()) {
                vms.remove(vm.name());
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Hands a deployment that is looked after here over to a machine, which is made if it is not there. When this returns the
     * deployment is on its way; its requests are routed here until it has arrived, and there from then on.
     *
     * @param name its name
     * @return completes with a handle when it is looked after there
     */
    public CompletableFuture<Deployment> give(String name) {
        DeployRequest request = controller
                .find(name)
                .map(Deployment::request)
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.NO_SUCH_DEPLOYMENT, "no deployment named '" + name + "' is looked after here"));
        Place place = place(request, request.spotCloud());
        bring(place, (vm, beside) -> {
            var unused = handover.leave(name, id(), vm.name(), beside);
        });
        return later(() -> {
            await(() -> !isOnItsWay(name), "deployment '" + name + "' to be looked after by its router VM");
            return find(name)
                    .orElseThrow(() -> new ConfigurationException(
                            ErrorCode.NAME_TAKEN,
                            "router VM '" + place.name() + "' did not take deployment '" + name + "'"));
        });
    }

    /**
     * Finds a machine in its cloud, whichever installation made it: what it takes to talk to it is kept there, for whoever has
     * the cloud's credentials. Blocks.
     *
     * @param name of the machine, or of a deployment on it
     * @return to be closed by the caller
     * @throws ConfigurationException {@code NO_SUCH_DEPLOYMENT} if there is none that answers; names those that there are
     */
    public AttachedVm attach(String name) {
        var seen = new ArrayList<String>();
        for (String provider : clouds.catalog().spotNames()) {
            Optional<RouterCloud> cloud = clouds.spot(provider).routers();
            for (FoundRouterVm found : cloud.map(this::found).orElse(List.of())) {
                seen.add(found.name());
                Optional<AttachedVm> attached =
                        attach(cloud.orElseThrow(), found).filter(vm -> has(vm, name));
                if (attached.isPresent()) {
                    return attached.get();
                }
            }
        }
        throw new ConfigurationException(
                ErrorCode.NO_SUCH_DEPLOYMENT,
                "no router VM is named '" + name + "' or has a deployment of this name; "
                        + (seen.isEmpty() ? "none was found" : "found were " + String.join(", ", seen)));
    }

    private List<FoundRouterVm> found(RouterCloud cloud) {
        try {
            return cloud.find();
        } catch (TunaException e) {
            LOG.debug("a cloud cannot be searched for router VMs: {}", e.getMessage());
            return List.of();
        }
    }

    private static Optional<AttachedVm> attach(RouterCloud cloud, FoundRouterVm found) {
        return cloud.observe(found.resource(), found.name())
                .control()
                .map(control -> new AttachedVm(cloud, found, RemoteControlPlane.of(found.name(), control)));
    }

    private static boolean has(AttachedVm vm, String name) {
        try {
            if (vm.name().equals(name) || vm.plane().deployment(name).isPresent()) {
                return true;
            }
        } catch (TunaException e) {
            LOG.debug("router VM '{}' does not answer: {}", vm.name(), e.getMessage());
        }
        vm.close();
        return false;
    }

    /**
     * Changes a deployment that lives on a machine.
     *
     * @param request complete, with its name
     * @return the same deployment
     */
    public Deployment redeploy(DeployRequest request) {
        String name = request.serviceName().orElseThrow();
        awaitArrived(name).redeploy(request);
        return handle(name);
    }

    /**
     * Takes a deployment back from its machine, which goes when nothing is left on it.
     *
     * @param name its name
     * @return completes with a handle when it is looked after here; with a {@link ConfigurationException}
     *     ({@code NAME_TAKEN}) if its model is served here by another one, and then nothing has changed
     */
    public CompletableFuture<Deployment> takeBack(String name) {
        Custody custody = custody(name).filter(Custody::isElsewhere).orElseThrow(() -> notThere(name));
        return later(() -> {
            controller.requireRoom(name, handle(name).request().model());
            if (!handover.callBack(name)) {
                untilHere(name, vm(name), plane -> fetch(name));
                if (!custodyIsHere(name)) {
                    throw new TimedOutException("router VM '" + custody.with() + "' does not answer, so '" + name
                            + "' cannot be taken back now; destroy it, or try again");
                }
            }
            return controller.find(name).orElseThrow(() -> notThere(name));
        });
    }

    /**
     * A deployment that lives on a machine, or is on its way there.
     *
     * @param name its name
     * @return a handle; empty if it is not handed over
     */
    public Optional<Deployment> find(String name) {
        return custody(name).filter(RouterVms::isOnVm).map(custody -> handle(name));
    }

    /**
     * Every deployment that lives on a machine, or is on its way there.
     *
     * @return handles
     */
    public List<Deployment> all() {
        return handover.custodies().values().stream()
                .filter(RouterVms::isOnVm)
                .<Deployment>map(custody -> handle(custody.service()))
                .toList();
    }

    /** What a host has taken from here is nobody's business here any more. */
    private static boolean isOnVm(Custody custody) {
        return custody.isElsewhere() && !custody.with().isEmpty();
    }

    /**
     * How the machines are.
     *
     * @return those that are not gone
     */
    public List<RouterVmStatus> status() {
        return vms.values().stream().map(this::status).toList();
    }

    private RouterVmStatus status(RouterVm vm) {
        VmRecord record = vm.record();
        return new RouterVmStatus(
                record.name(),
                record.provider(),
                record.resource().map(ResourceRef::id),
                record.state() == State.ENDING ? BackendPhase.DRAINING : vm.phase(),
                vm.problem(),
                vm.endpoint(),
                on(vm.name()).map(Custody::service).toList(),
                record.plan().usdPerHour());
    }

    /**
     * Has every machine of this installation run another jar; what is streamed goes on to its end.
     *
     * @param name the machine
     * @throws TunaException if it does not answer, or the jar cannot be had there; the running version goes on then
     */
    public void upgrade(String name) {
        RouterVm vm = Optional.ofNullable(vms.get(name))
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.NO_SUCH_DEPLOYMENT,
                        "no router VM is named '" + name + "'; there are " + vms.keySet()));
        Jar jar = Jar.of(options);
        RemoteControlPlane plane = vm.plane()
                .orElseThrow(() -> new TimedOutException(
                        "router VM '" + name + "' does not answer now: " + vm.problem() + "; try again when it does"));
        VmRecord record = vm.record();
        plane.upgrade(
                new NextJar(cloud(record.provider()).deliver(record.plan(), jar.uri(), jar.sha256()), jar.sha256()));
    }

    // What handles ask

    Optional<RemoteControlPlane> plane(String name) {
        return custody(name)
                .filter(Custody::isElsewhere)
                .flatMap(custody -> Optional.ofNullable(vms.get(custody.with())))
                .filter(RouterVm::isReady)
                .flatMap(RouterVm::plane);
    }

    /** That of the machine, once the deployment is looked after there. */
    Optional<RemoteControlPlane> arrived(String name) {
        return isOnItsWay(name) ? Optional.empty() : plane(name);
    }

    /**
     * The control plane that looks after a deployment; waits until it is there.
     *
     * @param name the deployment
     * @return not to be closed
     * @throws TimedOutException if the thread is interrupted meanwhile
     */
    public RemoteControlPlane awaitArrived(String name) {
        await(
                () -> arrived(name).isPresent() || custodyIsHere(name) || hasFailed(name),
                "deployment '" + name + "' to be looked after by its router VM");
        return arrived(name).orElseThrow(() -> custodyIsHere(name) ? notThere(name) : failed(name));
    }

    private boolean hasFailed(String name) {
        return custody(name)
                .flatMap(custody -> Optional.ofNullable(vms.get(custody.with())))
                .filter(vm -> vm.phase() == BackendPhase.FAILED)
                .isPresent();
    }

    private ConfigurationException failed(String name) {
        RouterVm vm = vm(name);
        return new ConfigurationException(
                ErrorCode.PREFLIGHT_FAILED,
                "router VM '" + vm.name() + "' does not come up: " + vm.problem() + "; destroy '" + name
                        + "', or take it back");
    }

    RouterVm vm(String name) {
        return custody(name)
                .flatMap(custody -> Optional.ofNullable(vms.get(custody.with())))
                .orElseThrow(() -> notThere(name));
    }

    /** The base URL for clients, once the machine has an address. */
    Optional<URI> knownEndpoint(String name) {
        return vm(name).endpoint().map(address -> URI.create(address + "/v1"));
    }

    URI awaitEndpoint(String name) {
        await(() -> knownEndpoint(name).isPresent(), "the router VM of '" + name + "' to have an address");
        return knownEndpoint(name).orElseThrow(() -> notThere(name));
    }

    /** What a person is told while nobody there can be asked. */
    String whereItIs(String name) {
        RouterVm vm = vm(name);
        String now = vm.phase().name().toLowerCase(Locale.ROOT) + (vm.problem().isEmpty() ? "" : ": " + vm.problem());
        return isOnItsWay(name)
                ? "on its way to router VM '" + vm.name() + "', which is " + now
                : "looked after by router VM '" + vm.name()
                        + "', which does not answer; this is how it was handed over (" + now + ")";
    }

    boolean isOnItsWay(String name) {
        return custody(name)
                .filter(custody -> custody.state() == Custody.State.LEAVING)
                .isPresent();
    }

    private static ConfigurationException notThere(String name) {
        return new ConfigurationException(
                ErrorCode.NO_SUCH_DEPLOYMENT, "deployment '" + name + "' is on no router VM (any more)");
    }

    private Deployment handle(String name) {
        return new VmDeployment(this, controller, name);
    }

    private Optional<Custody> custody(String name) {
        return Optional.ofNullable(handover.custodies().get(name));
    }

    private Stream<Custody> on(String vm) {
        return handover.custodies().values().stream()
                .filter(custody -> custody.isElsewhere() && custody.with().equals(vm));
    }

    /**
     * Ends a deployment, and its machine if it was the last one there.
     *
     * @param name its name
     * @return completes when all of it is confirmed to be gone
     */
    CompletableFuture<DestroyReport> destroy(String name) {
        return later(() -> {
            RouterVm vm = vm(name);
            if (!handover.callBack(name)) {
                untilHere(name, vm, plane -> destroyThere(name, plane));
            }
            if (!custodyIsHere(name)) {
                if (on(vm.name()).count() > 1) {
                    throw new TimedOutException("router VM '" + vm.name() + "' does not answer, and others live on it: "
                            + on(vm.name()).map(Custody::service).toList() + "; try again when it does");
                }
                LOG.warn("router VM '{}' does not answer; it is ended, and {} is destroyed from here", vm.name(), name);
                end(vm);
                if (!awaitWithin(CLOUDS_PATIENCE, () -> custodyIsHere(name), "router VM '" + vm.name() + "' to end")) {
                    throw new TimedOutException("deployment '" + name + "' is not destroyed yet: its router VM does not"
                            + " answer, and its cloud has not confirmed within " + CLOUDS_PATIENCE.toMinutes()
                            + " min that it has ended: " + vm.problem() + "; destroy it again");
                }
            }
            DestroyReport report = controller
                    .find(name)
                    .map(deployment -> deployment.destroy().join())
                    .orElseGet(() -> new DestroyReport(
                            name,
                            List.of(),
                            controller.ended(name).orElseThrow().cost()));
            return awaitEnd(vm, report);
        });
    }

    /** Not for ever, and not at all if somebody lives there: then the report has no machine that was removed. */
    private DestroyReport awaitEnd(RouterVm vm, DestroyReport report) {
        // The look that is under way may have begun before the deployment was gone.
        long before = vm.guests().look() + 1;
        BooleanSupplier gone = () -> !vms.containsValue(vm);
        BooleanSupplier inhabited = () -> isWanted(vm)
                || (vm.guests().look() > before && !vm.guests().names().isEmpty());
        if (!awaitWithin(
                CLOUDS_PATIENCE,
                () -> gone.getAsBoolean() || inhabited.getAsBoolean(),
                "router VM '" + vm.name() + "' to be gone")) {
            throw new TimedOutException("deployment '" + report.deployment() + "' is destroyed, but not its router VM '"
                    + vm.name() + "' within " + CLOUDS_PATIENCE.toMinutes() + " min"
                    + (vm.problem().isEmpty() ? "" : " (" + vm.problem() + ")")
                    + "; it is looked after further");
        }
        if (!gone.getAsBoolean()) {
            LOG.info(
                    "{} is destroyed; router VM '{}' stays, since others live there: {}",
                    report.deployment(),
                    vm.name(),
                    Stream.concat(on(vm.name()).map(Custody::service), vm.guests().names().stream())
                            .toList());
            return report;
        }
        var removed = new ArrayList<>(report.removed());
        vm.record().resource().map(ResourceRef::toString).ifPresent(removed::add);
        return new DestroyReport(report.deployment(), removed, report.cost());
    }

    /** Whether something from here lives there, or is about to. */
    private boolean isWanted(RouterVm vm) {
        lock.lock();
        try {
            return vm.expected > 0 || on(vm.name()).findAny().isPresent();
        } finally {
            lock.unlock();
        }
    }

    private void destroyThere(String name, RemoteControlPlane plane) {
        try {
            plane.destroy(name).join();
        } catch (CompletionException | ConfigurationException e) {
            // It may be over there already, and its end not have been heard.
            if (codeOf(e).filter(code -> code == ErrorCode.NO_SUCH_DEPLOYMENT).isEmpty()) {
                throw e;
            }
        }
        fetch(name);
    }

    private static Optional<ErrorCode> codeOf(RuntimeException e) {
        Throwable cause = e instanceof CompletionException ? e.getCause() : e;
        return cause instanceof TunaException known ? Optional.of(known.code()) : Optional.empty();
    }

    /** Connections break and machines reboot; it is tried until it is here, or nobody there has answered for long. */
    private void untilHere(String name, RouterVm vm, Consumer<RemoteControlPlane> work) {
        while (!custodyIsHere(name) && vm.silence().compareTo(PATIENCE) < 0) {
            await(
                    () -> arrived(name).isPresent()
                            || custodyIsHere(name)
                            || vm.silence().compareTo(PATIENCE) >= 0,
                    "router VM '" + vm.name() + "' to answer");
            try {
                arrived(name).ifPresent(work);
            } catch (CompletionException | TunaException e) {
                ErrorCode code = codeOf(e).orElseThrow(() -> e);
                if (!LOST.contains(code) && !custodyIsHere(name)) {
                    throw e;
                }
                LOG.debug("router VM '{}' did not answer to the end: {}", vm.name(), e.getMessage());
                pauseForAStep();
            }
        }
    }

    private boolean custodyIsHere(String name) {
        return custody(name).filter(Custody::isElsewhere).isEmpty();
    }

    // The steps

    private void begin() {
        lock.lock();
        try {
            if (worker.isEmpty() && !closed) {
                waiters = Optional.of(waiters.orElseGet(RouterVms::threads));
                ScheduledExecutorService own =
                        Executors.newSingleThreadScheduledExecutor(Threads.daemons("tuna-router-vms"));
                var unused = own.scheduleWithFixedDelay(this::step, 0, BETWEEN_STEPS.toMillis(), TimeUnit.MILLISECONDS);
                worker = Optional.of(own);
            }
        } finally {
            lock.unlock();
        }
    }

    private void step() {
        ExecutorService threads = waiters.orElseThrow();
        vms.values().stream()
                .filter(vm -> vm.isStored() && vm.beginLook())
                .forEach(vm -> threads.execute(() -> {
                    try {
                        look(vm);
                    } finally {
                        vm.endLook();
                        tell();
                    }
                }));
    }

    private void look(RouterVm vm) {
        try {
            step(vm);
        } catch (TunaException e) {
            String problem = String.valueOf(e.getMessage());
            if (!vm.problem().equals(problem)) {
                LOG.info("router VM '{}': {}", vm.name(), problem);
            }
            vm.failed(problem);
        } catch (RuntimeException e) {
            vm.failed(e.toString());
            LOG.warn("router VM '{}' could not be looked after", vm.name(), e);
        }
    }

    private void tell() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void step(RouterVm vm) {
        if (vm.record().state() == State.ENDING) {
            remove(vm);
            return;
        }
        if (vm.record().resource().isEmpty()) {
            launch(vm);
        }
        RouterVmObservation seen = observe(vm);
        vm.see(seen, controller::relay);
        if (seen.phase() == BackendPhase.GONE) {
            lost(vm);
            return;
        }
        if (vm.isReady()) {
            RemoteControlPlane plane = vm.plane().orElseThrow();
            settle(vm, plane);
            handOver(vm, plane);
            Set<String> ours = on(vm.name()).map(Custody::service).collect(Collectors.toSet());
            Set<String> live =
                    plane.deployments().stream().map(Deployment::name).collect(Collectors.toSet());
            collect(vm, plane, live);
            if (live.isEmpty()) {
                endUnlessWanted(vm);
            }
            live.removeAll(ours);
            vm.house(live);
        } else if (on(vm.name()).findAny().isEmpty() && !wasUsed(vm)) {
            endUnlessWanted(vm);
        }
    }

    /** Nobody gives anything there meanwhile. */
    private void endUnlessWanted(RouterVm vm) {
        lock.lock();
        try {
            if (!isWanted(vm)) {
                end(vm);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Whether others may have deployments there: whoever made it and never handed anything over knows that nobody has. */
    private boolean wasUsed(RouterVm vm) {
        return handover.custodies().values().stream()
                .anyMatch(custody -> custody.with().equals(vm.name())
                        && (custody.offered() || custody.handover().endsWith(BACK)));
    }

    private RouterVmObservation observe(RouterVm vm) {
        return cloud(vm.record().provider()).observe(vm.record().resource().orElseThrow(), vm.name());
    }

    private void launch(RouterVm vm) {
        VmRecord record = vm.record();
        secrets.put(RouterCloud.environment(vm.name()), environment(record));
        ResourceRef made = cloud(record.provider()).launch(record.plan());
        become(vm, record.launched(made));
    }

    private void become(RouterVm vm, VmRecord next) {
        store.save(StateChange.of(next.record(clock.instant())));
        vm.become(next);
    }

    /** Before anything is handed over, when there is news, and now and then: what may be spent, and what was. */
    private void settle(RouterVm vm, RemoteControlPlane plane) {
        Treasury treasury = controller.treasury();
        var news = new RouterVm.News(treasury.limits(), on(vm.name()).collect(Collectors.toSet()));
        if (!vm.isSettled(news, BETWEEN_SETTLEMENTS)) {
            treasury.hear(vm.name(), plane.settle(treasury.allowance(vm.name(), prices)));
            vm.settled(news);
        }
    }

    private void handOver(RouterVm vm, RemoteControlPlane plane) {
        on(vm.name())
                .filter(custody -> custody.state() == Custody.State.LEAVING)
                .forEach(custody -> {
                    String name = custody.service();
                    Bundle bundle = handover.leave(name, custody.handover(), vm.name(), List.of());
                    if (!handover.offered(name, custody.handover())) {
                        return;
                    }
                    try {
                        plane.offer(bundle);
                    } catch (ConfigurationException e) {
                        if (e.code() != ErrorCode.NAME_TAKEN) {
                            throw e;
                        }
                        LOG.warn("{} stays here: router VM '{}' does not take it: {}", name, vm.name(), e.getMessage());
                        handover.stay(name, custody.handover());
                        return;
                    }
                    handover.left(name, custody.handover(), false);
                    LOG.info("{} is looked after by router VM '{}'", name, vm.name());
                });
        handover.custodies().values().stream()
                .filter(custody -> !custody.isElsewhere() && custody.with().equals(vm.name()))
                .filter(custody -> custody.handover().endsWith(BACK) && !confirmed.contains(custody.handover()))
                .forEach(custody -> {
                    plane.taken(custody.service(), custody.handover());
                    confirmed.add(custody.handover());
                });
        // A process before this one, or an attempt that failed, may have been about to take it back.
        on(vm.name())
                .filter(this::isToBeKept)
                .forEach(custody -> turns.ifFree(custody.service(), () -> {
                    if (custody(custody.service()).filter(this::isToBeKept).isPresent()) {
                        plane.keep(custody.service(), custody.handover() + BACK);
                        kept.add(custody.handover());
                    }
                }));
    }

    private boolean isToBeKept(Custody custody) {
        return custody.state() == Custody.State.AWAY && !kept.contains(custody.handover());
    }

    /** What is over there is put down here, with its bill. */
    private void collect(RouterVm vm, RemoteControlPlane plane, Set<String> live) {
        on(vm.name())
                .filter(custody -> custody.state() == Custody.State.AWAY && !live.contains(custody.service()))
                .filter(custody -> isOver(plane, custody.service()))
                .forEach(custody -> turns.ifFree(custody.service(), () -> fetchNow(custody.service())));
    }

    private static boolean isOver(RemoteControlPlane plane, String name) {
        DeploymentPhase phase = plane.status(name).phase();
        return phase == DeploymentPhase.DESTROYED || phase == DeploymentPhase.FAILED;
    }

    /** One at a time: whoever comes second finds it here. */
    private void fetch(String name) {
        turns.alone(name, () -> {
            fetchNow(name);
            return name;
        });
    }

    private void fetchNow(String name) {
        Optional<Custody> away = custody(name).filter(custody -> custody.state() == Custody.State.AWAY);
        if (away.isEmpty()) {
            return;
        }
        RemoteControlPlane plane = plane(name).orElseThrow(() -> notThere(name));
        String id = away.get().handover() + BACK;
        try {
            handover.arrive(plane.take(name, id).join(), away.get().with());
        } catch (RuntimeException e) {
            kept.remove(away.get().handover()); // the machine is to go on with it
            throw e;
        }
        plane.taken(name, id);
        confirmed.add(id);
    }

    /** Nobody else can act any more, so this controller does; what was made there meanwhile is found by its tags. */
    private void lost(RouterVm vm) {
        unsettled(vm).toList().forEach(this::rescue);
        become(vm, vm.record().in(State.ENDING));
        remove(vm);
    }

    private Stream<Custody> unsettled(RouterVm vm) {
        return handover.custodies().values().stream()
                .filter(custody -> custody.isUnsettled() && custody.with().equals(vm.name()));
    }

    /** Again and again, until nothing is left that nobody looks after. */
    private void rescue(Custody custody) {
        String name = custody.service();
        if (custody.isElsewhere()) {
            LOG.warn("router VM '{}' is gone; {} is looked after here again", custody.with(), name);
        }
        Strays.Left left = strays.of(name);
        handover.rescue(name, custody.handover(), left.unknown()).forEach(strays::remove);
        handover.settle(name, custody.handover());
        if (custody.state() == Custody.State.AWAY && !left.anything()) {
            LOG.warn("nothing of {} runs any more: it is taken for destroyed on its router VM", name);
            controller.find(name).ifPresent(deployment -> {
                var unused = deployment.destroy();
            });
        }
    }

    private void end(RouterVm vm) {
        become(vm, vm.record().in(State.ENDING));
    }

    private void remove(RouterVm vm) {
        RouterCloud cloud = cloud(vm.record().provider());
        Optional<ResourceRef> machine = vm.record().resource();
        if (machine.isPresent()) {
            RouterVmObservation seen = observe(vm);
            if (seen.phase() != BackendPhase.GONE) {
                cloud.terminate(machine.get());
                return;
            }
            if (unsettled(vm).findAny().isPresent()) {
                lost(vm);
                return;
            }
            cloud.cleanUp(new FoundRouterVm(machine.get(), vm.name(), store.ownerId()));
        }
        secrets.remove(RouterCloud.environment(vm.name()));
        vm.close();
        controller.treasury().forget(vm.name());
        store.save(StateChange.of(vm.record().in(State.GONE).record(clock.instant())));
        vms.remove(vm.name());
    }

    // Where and what

    private record Place(String provider, String name, Map<String, String> options) {}

    private Place place(DeployRequest request, Optional<String> cloud) {
        String provider = cloud.filter(name -> clouds.spot(name).routers().isPresent())
                .or(() -> clouds.catalog().spotNames().stream()
                        .filter(name -> clouds.spot(name).routers().isPresent())
                        .findFirst())
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.INVALID_REQUEST,
                        "routerPlacement is 'SEPARATE_VM', but no provider on the class path rents machines for routers;"
                                + " add dev.tuna:tuna-spot-aws, or use EMBEDDED"));
        // The provider knows its settings itself, and takes those of the installation from nobody else.
        Map<String, String> options = request.providerOptions().getOrDefault(provider, Map.of());
        String name = Optional.ofNullable(options.get(VM_NAME))
                .or(() -> Optional.ofNullable(
                        settings.getOrDefault(provider, Map.of()).get(VM_NAME)))
                .orElseGet(() -> request.serviceName().orElseThrow());
        return new Place(provider, name, options);
    }

    private VmRecord plan(Place place) {
        Jar jar = Jar.of(options);
        var spec =
                new RouterVmSpec(place.name(), jar.uri(), jar.sha256(), options.port(), orphanTimeout, place.options());
        RouterVmPlan plan = cloud(place.provider()).plan(spec, place.name() + "-" + id());
        return new VmRecord(place.name(), place.provider(), plan, State.INTENDED, Optional.empty(), clock.instant());
    }

    /** What the program there is started with: its configuration, its token, and credentials of providers. */
    private Secret environment(VmRecord record) {
        Optional<Secret> kept = secrets.get(RouterCloud.environment(record.name()));
        if (kept.isPresent()) {
            return kept.get();
        }
        var config = new RouterVmConfig(
                record.name(),
                record.provider(),
                store.ownerId(),
                options.port(),
                orphanTimeout,
                record.plan().usdPerHour(),
                record.createdAt(),
                settings);
        ObjectNode variables = new JsonMapper().createObjectNode();
        options.environment().forEach((name, value) -> variables.put(name, value.reveal()));
        variables.put(RouterVmConfig.VARIABLE, config.toJson());
        variables.put("TUNA_CONTROL_TOKEN", hex(4 * ID_BYTES));
        return Secret.of(variables.toString());
    }

    private RouterCloud cloud(String provider) {
        return clouds.spot(provider)
                .routers()
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.INVALID_REQUEST, "provider '" + provider + "' rents no machines for routers"));
    }

    private String id() {
        return hex(ID_BYTES);
    }

    private String hex(int bytes) {
        var made = new byte[bytes];
        random.nextBytes(made);
        return HexFormat.of().formatHex(made);
    }

    // Waiting

    <T> CompletableFuture<T> later(Supplier<T> work) {
        lock.lock();
        try {
            if (closed) {
                throw new ConfigurationException(ErrorCode.CLOSED, "this Tuna is closed; start another one");
            }
            waiters = Optional.of(waiters.orElseGet(RouterVms::threads));
            var result = new CompletableFuture<T>();
            waiters.get().execute(() -> {
                try {
                    result.complete(work.get());
                } catch (CompletionException e) {
                    result.completeExceptionally(e.getCause() == null ? e : e.getCause());
                } catch (RuntimeException e) {
                    result.completeExceptionally(e);
                }
            });
            return result;
        } finally {
            lock.unlock();
        }
    }

    private static ExecutorService threads() {
        return Executors.newCachedThreadPool(Threads.daemons("tuna-router-vm-waiter"));
    }

    /** Whether it holds before the time is over. */
    private boolean awaitWithin(Duration limit, BooleanSupplier condition, String what) {
        long until = System.nanoTime() + limit.toNanos();
        await(() -> condition.getAsBoolean() || System.nanoTime() >= until, what);
        return condition.getAsBoolean();
    }

    private void await(BooleanSupplier condition, String what) {
        lock.lock();
        try {
            while (!condition.getAsBoolean()) {
                if (closed) {
                    throw new ConfigurationException(ErrorCode.CLOSED, "this Tuna was closed; the next start goes on");
                }
                var unused = changed.await(BETWEEN_STEPS.toMillis(), TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TimedOutException("interrupted while waiting for " + what);
        } finally {
            lock.unlock();
        }
    }

    private void pauseForAStep() {
        long until = System.nanoTime() + BETWEEN_STEPS.toNanos();
        await(() -> System.nanoTime() >= until, "the next step");
    }

    /** Stops looking; machines and what is on them go on. Idempotent. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            worker.ifPresent(ExecutorService::shutdownNow);
            waiters.ifPresent(ExecutorService::shutdownNow);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        vms.values().forEach(RouterVm::close);
    }
}
