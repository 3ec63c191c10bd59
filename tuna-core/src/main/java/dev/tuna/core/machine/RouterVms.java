package dev.tuna.core.machine;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeployPlan;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.api.Tier;
import dev.tuna.api.TimedOutException;
import dev.tuna.api.TunaException;
import dev.tuna.core.catalog.Price;
import dev.tuna.core.control.Confided;
import dev.tuna.core.control.Controller;
import dev.tuna.core.control.Custody;
import dev.tuna.core.control.Handover;
import dev.tuna.core.provider.Clouds;
import dev.tuna.core.remote.RemoteControlPlane;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.ResourceRecord.State;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterVmPlan;
import dev.tuna.spi.SecretStore;
import dev.tuna.spi.StateStore;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
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

    private static final Duration SOON = Duration.ofSeconds(30);

    private final Clouds clouds;
    private final SecretStore secrets;
    private final String owner;
    private final Controller controller;
    private final Handover handover;
    private final InstantSource clock;
    private final VmPlanner planner;
    private final Roster roster;
    private final Exchange exchange;
    private final Caretaker caretaker;
    private final Returns returns;
    private final Waits waits = new Waits();

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
        this.clouds = clouds;
        this.secrets = secrets;
        this.owner = store.ownerId();
        this.controller = controller;
        this.handover = controller.handover();
        this.clock = clock;
        this.planner = new VmPlanner(store, secrets, clouds, clock, random, orphanTimeout, settings, options);
        this.roster = new Roster(handover);
        this.exchange = new Exchange(handover, roster, waits);
        this.caretaker = new Caretaker(store, secrets, controller, clock, planner, roster, exchange, prices, strays);
        this.returns = new Returns(controller, roster, exchange, caretaker, waits);
        store.load().resources().stream()
                .filter(VmRecord::isOne)
                .map(VmRecord::of)
                .forEach(record -> roster.add(new RouterVm(record).stored()));
        if (!roster.all().isEmpty() || roster.custodies().stream().anyMatch(Custody::isBound)) {
            waits.step(this::step);
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
        VmPlanner.Place place = planner.place(request, cloud);
        bring(place, (vm, beside) -> controller.acceptFor(request, cloud, planner.id(), vm.name(), beside));
        return handle(request.serviceName().orElseThrow());
    }

    /** Has something brought to a machine, which does not end meanwhile, and is made, if it is not there, once that is stored. */
    private void bring(VmPlanner.Place place, BiConsumer<RouterVm, List<ResourceRecord>> store) {
        RouterVm vm = roster.expect(place.name(), () -> planner.plan(place));
        try {
            store.accept(vm, vm.isStored() ? List.of() : List.of(vm.record().record(clock.instant())));
            vm.stored();
        } finally {
            roster.expectNoMore(vm);
        }
        waits.step(this::step);
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
        VmPlanner.Place place = planner.place(request, cloud);
        Optional<VmRecord> there = roster.named(place.name()).map(RouterVm::record);
        RouterVmPlan plan = there.orElseGet(() -> planner.plan(place)).plan();
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

    /**
     * Hands a deployment that is looked after here over to a machine, which is made if it is not there. When this returns that
     * is on disk; the deployment is looked after here until the machine is ready to take it, also by another process that comes
     * next, and its requests are routed here until it has arrived, and there from then on.
     *
     * @param name its name
     * @return completes with a handle when it is looked after there; with a {@link ConfigurationException} that says why if it
     *     stays here, since the machine cannot be had ({@code PREFLIGHT_FAILED}) or does not take it ({@code NAME_TAKEN})
     */
    public CompletableFuture<Deployment> give(String name) {
        Deployment deployment = controller
                .find(name)
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.NO_SUCH_DEPLOYMENT, "no deployment named '" + name + "' is looked after here"));
        VmPlanner.Place place =
                planner.place(deployment.request(), deployment.request().spotCloud());
        deployment.status().backends().stream()
                .filter(backend -> backend.tier() == Tier.SERVERLESS)
                .forEach(endpoint -> planner.requireNeeds(endpoint.provider(), place.name()));
        String id = planner.id();
        bring(place, (vm, beside) -> handover.bind(name, id, vm.name(), beside));
        return waits.later(() -> {
            waits.await(
                    () -> !roster.isUnderWay(name, id),
                    "deployment '" + name + "' to be looked after by its router VM");
            return find(name).orElseThrow(() -> exchange.refusal(name, id, place.name()));
        });
    }

    /**
     * Finds a machine in its cloud, whichever installation made it: what it takes to talk to it is kept there, for whoever has
     * the cloud's credentials. One that is named so goes before one that has a deployment named so, and one of this
     * installation before those of others. Blocks, for seconds if one does not answer.
     *
     * @param name of the machine, or {@code OWNER/NAME} with the id of its installation; or of a deployment on it
     * @return to be closed by the caller
     * @throws ConfigurationException {@code NO_SUCH_DEPLOYMENT} if there is none, with those that there are;
     *     {@code INVALID_REQUEST} if it may be any of several, with whose they are
     * @throws TimedOutException if it was found and does not answer
     */
    public AttachedVm attach(String name) {
        return new Finder(clouds, owner, waits::pause).attach(name);
    }

    /**
     * Changes a deployment that lives on a machine.
     *
     * @param request complete, with its name
     * @return the same deployment
     */
    public Deployment redeploy(DeployRequest request) {
        String name = request.serviceName().orElseThrow();
        planner.requireNeeds(request, roster.vm(name).name());
        RemoteControlPlane there = soonArrived(name);
        confide(request, there);
        there.redeploy(request);
        return handle(name);
    }

    /** The machine has those of earlier requests only. */
    private void confide(DeployRequest request, RemoteControlPlane there) {
        var known = new HashMap<String, String>();
        request.secrets()
                .values()
                .forEach(ref -> secrets.get(ref).ifPresent(secret -> known.put(ref.name(), secret.reveal())));
        try {
            if (!known.isEmpty()) {
                there.confide(new Confided(known));
            }
        } catch (StoreException e) {
            if (e.code() != ErrorCode.STORE_TOO_NEW) {
                throw e;
            }
            LOG.warn("the router VM runs an older version, which takes no new secrets: upgrade it");
        }
    }

    /**
     * Takes a deployment back from its machine, which goes when nothing is left on it.
     *
     * @param name its name
     * @return completes with a handle when it is looked after here; with a {@link ConfigurationException}
     *     ({@code NAME_TAKEN}) if its model is served here by another one, and then nothing has changed
     */
    public CompletableFuture<Deployment> takeBack(String name) {
        Custody custody = roster.custody(name)
                .filter(known -> known.isElsewhere() || known.isBound())
                .orElseThrow(() -> Roster.notThere(name));
        return waits.later(() -> {
            if (custody.isBound() && handover.callBack(name)) {
                return controller.find(name).orElseThrow(() -> Roster.notThere(name));
            }
            controller.requireRoom(name, handle(name).request().model());
            return returns.takeBack(name);
        });
    }

    /**
     * A deployment that lives on a machine, or is on its way there.
     *
     * @param name its name
     * @return a handle; empty if it is not handed over
     */
    public Optional<Deployment> find(String name) {
        return roster.custody(name).filter(RouterVms::isOnVm).map(custody -> handle(name));
    }

    /**
     * Every deployment that lives on a machine, or is on its way there.
     *
     * @return handles
     */
    public List<Deployment> all() {
        return roster.custodies().stream()
                .filter(RouterVms::isOnVm)
                .<Deployment>map(custody -> handle(custody.service()))
                .toList();
    }

    /** What a host has taken from here is nobody's business here any more. */
    private static boolean isOnVm(Custody custody) {
        return custody.isElsewhere() && !custody.with().isEmpty();
    }

    /**
     * The machines that an earlier process left and that have not answered yet, unless they have failed or are gone: until then
     * it is told how deployments were when they were handed over.
     *
     * @return names of machines
     */
    public Set<String> unseen() {
        return roster.stored().filter(RouterVm::isUnseen).map(RouterVm::name).collect(Collectors.toSet());
    }

    /**
     * How the machines are.
     *
     * @return those that are not gone
     */
    public List<RouterVmStatus> status() {
        return roster.all().stream().map(this::status).toList();
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
                roster.on(vm.name()).map(Custody::service).toList(),
                vm.usdPerHour().or(() -> record.plan().usdPerHour()));
    }

    /**
     * What lives on machines of this installation and was not handed over from here: asks those that answer. Blocks.
     *
     * @return names of deployments; those of a machine that does not answer as they were last seen
     */
    public Set<String> guests() {
        return roster.stored()
                .flatMap(vm -> Stream.concat(vm.guests().names().stream(), living(vm)))
                .collect(Collectors.toSet());
    }

    private static Stream<String> living(RouterVm vm) {
        try {
            List<Deployment> there = vm.plane()
                    .filter(plane -> vm.isReady())
                    .map(RemoteControlPlane::deployments)
                    .orElse(List.of());
            return there.stream().map(Deployment::name);
        } catch (TunaException | IllegalStateException e) {
            LOG.debug("router VM '{}' cannot be asked for its guests: {}", vm.name(), e.getMessage());
            return Stream.of();
        }
    }

    /**
     * Has every machine of this installation run another jar; what is streamed goes on to its end.
     *
     * @param name the machine
     * @throws TunaException if it does not answer, or the jar cannot be had there; the running version goes on then
     */
    public void upgrade(String name) {
        RouterVm vm = roster.named(name)
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.NO_SUCH_DEPLOYMENT,
                        "no router VM is named '" + name + "'; there are "
                                + roster.all().stream().map(RouterVm::name).toList()));
        RemoteControlPlane plane = vm.plane()
                .orElseThrow(() -> new TimedOutException(
                        "router VM '" + name + "' does not answer now: " + vm.problem() + "; try again when it does"));
        plane.upgrade(planner.deliver(vm.record()));
    }

    // What handles ask

    /** That of the machine, once the deployment is looked after there and can be asked about. */
    Optional<RemoteControlPlane> arrived(String name) {
        return roster.arrived(name);
    }

    /**
     * The control plane that looks after a deployment; waits until it is there.
     *
     * @param name the deployment
     * @return not to be closed
     * @throws TimedOutException if the thread is interrupted meanwhile
     */
    public RemoteControlPlane awaitArrived(String name) {
        return awaitSettled(name).orElseThrow(() -> Roster.notThere(name));
    }

    /** The control plane of its machine; empty if it is looked after here by now. Waits until one of them holds. */
    Optional<RemoteControlPlane> awaitSettled(String name) {
        waits.await(() -> roster.isSettled(name), "deployment '" + name + "' to be looked after by its router VM");
        Optional<RemoteControlPlane> there = arrived(name);
        if (there.isEmpty() && !roster.isHere(name)) {
            throw failed(name);
        }
        return there;
    }

    boolean isHere(String name) {
        return roster.isHere(name);
    }

    private ConfigurationException missing(String name) {
        return roster.isHere(name) ? Roster.notThere(name) : failed(name);
    }

    /**
     * The control plane that looks after a deployment, for whoever is waited for in turn and cannot wait for a machine to come
     * up.
     *
     * @param name the deployment
     * @return not to be closed
     * @throws TimedOutException with where the deployment is, if nobody there answers within half a minute
     */
    public RemoteControlPlane soonArrived(String name) {
        boolean known = waits.awaitWithin(
                SOON, () -> roster.isSettled(name), "deployment '" + name + "' to be looked after by its router VM");
        if (!known) {
            throw new TimedOutException(
                    "deployment '" + name + "' is " + roster.whereItIs(name) + "; try again when it is up");
        }
        return awaitArrived(name);
    }

    private ConfigurationException failed(String name) {
        RouterVm vm = roster.vm(name);
        return new ConfigurationException(
                ErrorCode.PREFLIGHT_FAILED,
                "router VM '" + vm.name() + "' does not come up: " + vm.problem() + "; destroy '" + name
                        + "', or take it back");
    }

    /** The base URL for clients, once the machine has an address. */
    Optional<URI> knownEndpoint(String name) {
        return roster.endpoint(name);
    }

    URI awaitEndpoint(String name) {
        waits.await(
                () -> knownEndpoint(name).isPresent() || roster.isHere(name) || roster.hasFailed(name),
                "the router VM of '" + name + "' to have an address");
        return knownEndpoint(name).orElseThrow(() -> missing(name));
    }

    String whereItIs(String name) {
        return roster.whereItIs(name);
    }

    private Deployment handle(String name) {
        return new VmDeployment(this, controller, name);
    }

    /**
     * Ends a deployment, and its machine if it was the last one there.
     *
     * @param name its name
     * @return completes when all of it is confirmed to be gone
     */
    CompletableFuture<DestroyReport> destroy(String name) {
        return waits.later(() -> returns.destroy(name));
    }

    <T> T insist(Supplier<T> question) {
        return returns.insist(question);
    }

    <T> CompletableFuture<T> later(Supplier<T> work) {
        return waits.later(work);
    }

    private void step() {
        exchange.reconsider();
        roster.stored()
                .filter(RouterVm::beginLook)
                .forEach(vm -> waits.begin(() -> {
                    try {
                        caretaker.look(vm);
                    } finally {
                        vm.endLook();
                    }
                }));
    }

    /** Stops looking; machines and what is on them go on. Idempotent. */
    @Override
    public void close() {
        waits.close();
        roster.all().forEach(RouterVm::close);
    }
}
