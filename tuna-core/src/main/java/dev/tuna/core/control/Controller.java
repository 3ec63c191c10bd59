package dev.tuna.core.control;

import dev.tuna.api.Budget;
import dev.tuna.api.BudgetReport;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.TunaException;
import dev.tuna.core.budget.Outlay;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateSnapshot;
import dev.tuna.spi.StateStore;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after the deployments of one installation: takes them in, changes, shows and destroys them, and hands them over. What is
 * done for them from moment to moment is decided in the {@link ControlLoop}. Thread-safe.
 */
public final class Controller implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Controller.class);

    private final ControlParts parts;
    private final Times times;
    private final EventBus events;
    private final StoreWriter writer;
    private final Names names = new Names();
    private final Purse purse;
    private final Treasury treasury;
    private final Spending spending;
    private final ControlLoop loop;
    private final Intake intake;
    private final Rolling rolling;
    private final Archive archive;
    private final Inventory inventory;
    private final Tenure tenure;
    private final Handover handover;

    /**
     * Starts the endpoint and takes up what an earlier process left.
     *
     * @param parts what to work with; stays the caller's
     * @throws TunaException if the endpoint cannot be opened or the store cannot be read; nothing is left open then
     */
    public Controller(ControlParts parts) {
        this.parts = parts;
        StateStore store = parts.store();
        Threads threads = parts.threads();
        this.times = new Times(parts.clock(), parts.ticker());
        this.events = new EventBus(threads.events());
        this.writer = new StoreWriter(store, threads.store(), threads.scheduler());
        parts.listeners().forEach(events::subscribe);
        this.purse = new Purse(parts.orphanTimeout());
        this.treasury = new Treasury(this, store, parts.catalog(), purse, parts.budget());
        var keyring = new Keyring(parts.secrets(), parts.random());
        StateSnapshot left = store.load();
        var rental = new Rental(parts.machine(), left, names, writer);
        this.spending = new Spending(names, purse, rental, times);
        var custodies = new Custodies(left);
        var watch = new Watch(store, parts.orphanTimeout());
        var recovery = new Recovery(store, keyring, names, custodies, watch, times);
        this.archive = new Archive(parts, recovery, this::endpoint);
        this.inventory = new Inventory(names, store);
        List<Service> adopted = recovery.all(left);
        if (spending.countsAll()) {
            spending.rememberThisMonth(archive);
        }
        this.loop = new ControlLoop(parts, times, names, spending, rental, keyring, events, writer, left, this::handle);
        this.intake = new Intake(loop, names, keyring, store, custodies, times);
        this.rolling = new Rolling(loop, intake, names, keyring, writer, events, times, parts.timings());
        this.tenure =
                new Tenure(loop, names, recovery, custodies, spending, archive, writer, events, times, parts.timings());
        this.handover = new Handover(
                tenure, custodies, store, parts.secrets(), parts.clouds().catalog(), parts.clock());
        loop.judgedBy(rolling::judge);
        try {
            adopted.forEach(service -> {
                if (custodies.of(service.name()).isHeld()) {
                    loop.adoptHeld(service);
                } else {
                    loop.adopt(service);
                }
            });
            loop.beginRent();
            loop.beginWatch(watch);
        } catch (RuntimeException e) {
            var unused = loop.stop();
            loop.gateway().close();
            throw e;
        }
    }

    private Deployment handle(Service service) {
        return new Handle(this, service);
    }

    /**
     * Accepts a deployment: when this returns it is on disk, and its endpoint answers.
     *
     * @param request complete: with its name, and a GPU and providers that exist
     * @param cloud who rents its replicas; empty for none
     * @return a handle
     * @throws ConfigurationException {@code NAME_TAKEN}
     * @throws dev.tuna.api.StoreException if it cannot be stored; nothing was done then
     */
    public Deployment accept(DeployRequest request, Optional<String> cloud) {
        return handle(intake.accept(request, cloud));
    }

    /**
     * Accepts a deployment for another controller: when this returns it is on disk, on its way there.
     *
     * @param request complete: with its name, and a GPU and providers that exist
     * @param cloud who rents its replicas; empty for none
     * @param id of the handover, unique for ever
     * @param to the router VM that is to have it
     * @param beside what is stored in the same write
     * @throws ConfigurationException {@code NAME_TAKEN}
     * @throws dev.tuna.api.StoreException if it cannot be stored; nothing was done then
     */
    public void acceptFor(
            DeployRequest request, Optional<String> cloud, String id, String to, List<ResourceRecord> beside) {
        handover.accept(request.serviceName().orElseThrow(), () -> intake.acceptFor(request, cloud, id, to, beside));
    }

    /**
     * Changes a live deployment to another request. What only the control loop looks at holds at once; anything else is
     * brought up beside what serves, and takes over when it serves too. When this returns the successor is on disk.
     *
     * @param request complete: with the name of a live deployment, and a GPU and providers that exist
     * @param cloud who rents its replicas; empty for none
     * @return the same deployment; {@link Deployment#rolled()} tells how the change ends
     * @throws ConfigurationException {@code NO_SUCH_DEPLOYMENT}, or {@code NAME_TAKEN} if another one serves the model
     * @throws dev.tuna.api.StoreException if it cannot be stored; nothing has changed then
     */
    public Deployment redeploy(DeployRequest request, Optional<String> cloud) {
        return handle(rolling.redeploy(request, cloud));
    }

    /**
     * Makes something that runs already a backend of a live deployment. It takes requests when it has passed a readiness
     * request, and is billed from its creation.
     *
     * @param outside the deployment's name, as providers know it
     * @param stray what runs
     * @return the deployment
     * @throws ConfigurationException {@code NO_SUCH_DEPLOYMENT}, or {@code INVALID_REQUEST} if it does not fit
     */
    public Deployment adopt(String outside, Stray stray) {
        loop.requireOpen();
        Service service = names.all().stream()
                .filter(each -> each.current().state().revision().outside().equals(outside))
                .findFirst()
                .orElseThrow(
                        () -> Names.notLive(outside, "is not live, so " + stray.resource() + " can only be destroyed"));
        return loop.inLoop(() -> {
            Slot slot = service.current();
            Adoption.misfit(slot.state(), stray).ifPresent(why -> {
                throw new ConfigurationException(
                        ErrorCode.INVALID_REQUEST,
                        stray.resource() + " does not fit deployment '" + service.name() + "': " + why
                                + "; destroy it");
            });
            loop.take(service, slot, new Message.Joined(List.of(stray)));
            return handle(service);
        });
    }

    /**
     * Gives deployments to other controllers, and takes them.
     *
     * @return this controller's end
     */
    public Handover handover() {
        return handover;
    }

    /**
     * Tells listeners what happened to a deployment that another controller looks after.
     *
     * @param event as it was told there
     */
    public void relay(DeploymentEvent event) {
        events.tell(List.of(event));
    }

    /**
     * A live deployment.
     *
     * @param name its name
     * @return a handle; empty if there is none of this name
     */
    public Optional<Deployment> find(String name) {
        return names.find(name).map(service -> handle(service));
    }

    /**
     * Every live deployment.
     *
     * @return handles, oldest first
     */
    public List<Deployment> all() {
        return names.all().stream().<Deployment>map(service -> handle(service)).toList();
    }

    /**
     * Tells a listener what happens from now on, in order, on a thread of its own.
     *
     * @param listener is called with every event; when it throws, that harms nobody
     * @return ends the subscription
     */
    public Runnable subscribe(Consumer<DeploymentEvent> listener) {
        return events.subscribe(listener);
    }

    /**
     * Where clients connect.
     *
     * @return base URL without path
     */
    public URI address() {
        return loop.gateway().address();
    }

    Optional<String> certificate() {
        return loop.gateway().certificate();
    }

    URI endpoint() {
        return URI.create(loop.gateway().address() + "/v1");
    }

    DeploymentStatus status(Service service) {
        Service.Lineup lineup = service.lineup();
        Managed current = lineup.current().state();
        DeploymentStatus status =
                Reports.status(current, lineup.others(), loop.load(current), endpoint(), parts.timings());
        return Stream.of(
                        handover.problem(service.name()),
                        writer.problem()
                                .map(problem -> "state cannot be stored, so nothing is begun or removed: " + problem))
                .flatMap(Optional::stream)
                .reduce(status, Controller::withProblem, (first, second) -> second);
    }

    private static DeploymentStatus withProblem(DeploymentStatus status, String problem) {
        var problems = new ArrayList<>(status.problems());
        problems.add(problem);
        return new DeploymentStatus(
                status.name(),
                status.phase(),
                status.endpoint(),
                status.spotState(),
                status.backends(),
                status.traffic(),
                status.createdAt(),
                problems,
                status.roll());
    }

    /** What is being handed over is looked after here again first, unless the other end has it or may have. */
    CompletableFuture<DestroyReport> destroy(Service service) {
        loop.requireOpen();
        return handover.claim(service.name())
                ? names.find(service.name()).map(this::end).orElseGet(service::destroyed)
                : end(service);
    }

    private CompletableFuture<DestroyReport> end(Service service) {
        loop.post(service, service.current(), new Message.DestroyAsked());
        service.former().forEach(slot -> loop.post(service, slot, new Message.DestroyAsked()));
        return service.destroyed().copy();
    }

    /**
     * Whether a deployment that another controller looks after could come here.
     *
     * @param name its name
     * @param model what it serves
     * @throws ConfigurationException {@code NAME_TAKEN} if another one here serves that
     */
    public void requireRoom(String name, String model) {
        names.server(model).filter(other -> !other.equals(name)).ifPresent(other -> {
            throw new ConfigurationException(
                    ErrorCode.NAME_TAKEN,
                    "deployment '" + name + "' cannot come here: its model '" + model
                            + "' is served at this endpoint by deployment '" + other
                            + "'; destroy that first, or leave '" + name + "' where it is");
        });
    }

    /**
     * What all deployments together may cost and have cost.
     *
     * @return this controller's part in it
     */
    public Treasury treasury() {
        return treasury;
    }

    /** Holds all deployments to other limits from now on. */
    void heed(Budget limits) {
        loop.requireOpen();
        if (!spending.countsAll()) {
            spending.rememberThisMonth(archive);
        }
        loop.inLoop(() -> {
            purse.become(limits);
            names.all().forEach(loop::weigh);
            return limits;
        });
    }

    /** What the machine costs that all this runs on, from now on. */
    void rentCosts(BigDecimal usdPerHour) {
        loop.rentCosts(usdPerHour);
    }

    Instant wallTime() {
        return times.now().wall();
    }

    /**
     * Stops the endpoint and the loop, stores the last counters and destroys nothing. Idempotent.
     *
     * <p>The parts stay open; the caller stops the threads next.
     */
    @Override
    public void close() {
        boolean first = stop();
        loop.gateway().close();
        if (first) {
            names.slots().forEach(Controller::warnOfCosts);
        }
    }

    private void storeLast(List<Slot> slots) {
        try {
            writer.flush();
            Now now = times.now();
            for (Slot slot : slots) {
                if (slot.state().isOver()) {
                    continue;
                }
                StateChange change = loop.last(slot, now);
                if (!StoreWriter.isEmpty(change)) {
                    parts.store().save(change);
                }
            }
        } catch (TunaException e) {
            LOG.warn("The last counters could not be stored; at most a minute of them is lost", e);
        }
    }

    private static void warnOfCosts(Slot slot) {
        Managed managed = slot.state();
        List<String> billed = managed.present().stream()
                .filter(backend -> !backend.isServerless()
                        || managed.scaling().serverless().workersMin() > 0)
                .map(Backend::id)
                .toList();
        if (!billed.isEmpty()) {
            LOG.warn(
                    "{}: closing destroys nothing; still billed: {}; start again to look after them, or destroy",
                    managed.name(),
                    billed);
        }
    }

    /**
     * Stops the loop and stores the last counters; the endpoint goes on with the routes it has until {@link #close}. Nothing
     * new is accepted from the beginning on, and calls that are under way are waited for, so that what comes of them is
     * stored; of one that does not come back the next process knows what it knows after a crash. Idempotent.
     */
    public void retire() {
        loop.retire();
        tenure.holdAll();
        var unused = stop();
    }

    /** Whether it was not stopped before. */
    private boolean stop() {
        loop.payRent();
        if (!loop.stop()) {
            return false;
        }
        storeLast(names.slots());
        var failure = new ConfigurationException(ErrorCode.CLOSED, "this Tuna was closed; the next start goes on");
        names.all().forEach(service -> service.fail(failure));
        return true;
    }

    /**
     * What the store knows of those that are over or elsewhere.
     *
     * @return reads the store whenever it is asked
     */
    public Archive archive() {
        return archive;
    }

    /**
     * What live deployments have at providers.
     *
     * @return as it is whenever it is asked
     */
    public Inventory inventory() {
        return inventory;
    }

    CostReport cost(Service service) {
        return spending.cost(service);
    }

    BudgetReport standing() {
        return spending.standing();
    }

    List<Outlay> outlays() {
        return spending.outlays();
    }
}
