package dev.tuna.core.control;

import dev.tuna.api.Budget;
import dev.tuna.api.BudgetReport;
import dev.tuna.api.BudgetUse;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.RollReport;
import dev.tuna.api.Secret;
import dev.tuna.api.TimedOutException;
import dev.tuna.api.TunaException;
import dev.tuna.core.budget.Outlay;
import dev.tuna.core.budget.Restraint;
import dev.tuna.core.budget.Spent;
import dev.tuna.core.provider.Alarms;
import dev.tuna.core.provider.Helpers;
import dev.tuna.router.BackendFailure;
import dev.tuna.router.Route;
import dev.tuna.router.RouteLoad;
import dev.tuna.router.RouterListener;
import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.LedgerEntry;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateSnapshot;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The control loop. Messages about a deployment are taken one at a time; each swaps the deployment's state whole, stores
 * what has changed, and has done what was decided: what makes or removes something outside only after the store has it.
 *
 * <p>Thread-safe. State is written under {@code loop}, which nobody holds for longer than one decision.
 */
public final class Controller implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Controller.class);
    private static final StateChange NOTHING = new StateChange(List.of(), List.of(), List.of());

    /** The topic of what became of the last change. */
    private static final String ROLL = "roll";

    /** The topic of who else serves its model. */
    private static final String MODEL = "model";

    /** How many calls in a row may be waited for before a handover: one that is under way, and one that it lets begin. */
    private static final int HOLD_LIMIT = 2;

    private static final long HOLD_SECONDS = 60;

    private final ControlParts parts;
    private final Mailbox mailbox;
    private final EventBus events;
    private final StoreWriter writer;
    private final Runner runner;
    private final Gateway gateway;
    private final Keyring keyring;
    private final Names names = new Names();
    private final Purse purse;
    private final Treasury treasury;
    private final CommonKnowledge pools = new CommonKnowledge();
    private final Handover handover;
    private final ReentrantLock asking = new ReentrantLock(); // makes looking at names and taking one a single step
    private final ReentrantLock loop = new ReentrantLock();
    private final Instant wallAtStart;
    private final long ticksAtStart;
    private Optional<Rent> rent = Optional.empty(); // guarded by loop
    private volatile boolean retiring;
    private volatile boolean closed;

    /**
     * Starts the endpoint and takes up what an earlier process left.
     *
     * @param parts what to work with; stays the caller's
     * @throws TunaException if the endpoint cannot be opened or the store cannot be read; nothing is left open then
     */
    public Controller(ControlParts parts) {
        this.parts = parts;
        Threads threads = parts.threads();
        this.mailbox = new Mailbox(threads.scheduler());
        this.events = new EventBus(threads.events());
        this.writer = new StoreWriter(parts.store(), threads.store(), threads.scheduler());
        this.wallAtStart = parts.clock().instant();
        this.ticksAtStart = parts.ticker().getAsLong();
        this.keyring = new Keyring(parts.secrets(), parts.random());
        this.runner = new Runner(
                parts.clouds(),
                parts.catalog()::prices,
                new Chooser(parts.clouds(), parts.catalog()),
                new Helpers(parts.clouds(), parts.store()),
                keyring,
                parts.prober(),
                threads.calls(),
                threads.endings(),
                parts.orphanTimeout(),
                new Alarms(threads.scheduler()),
                parts.timings().callLimit());
        parts.listeners().forEach(events::subscribe);
        this.purse = new Purse(parts.orphanTimeout());
        this.treasury = new Treasury(this, parts.store(), parts.catalog(), purse, parts.budget());
        StateSnapshot left = parts.store().load();
        this.handover = new Handover(
                this, parts.store(), parts.secrets(), parts.clouds().catalog(), parts.clock(), left);
        Map<String, Custody> custodies = handover.custodies();
        List<Service> adopted = readBack(left, name -> !isElsewhere(custodies, name));
        pools.recall(left.deployments(), parts.store(), now().steady());
        if (purse.isForAll()) {
            rememberThisMonth();
        }
        this.gateway = parts.gateway().apply(new Signals());
        try {
            adopted.forEach(this::adopt);
            beginRent(left);
        } catch (RuntimeException e) {
            closed = true;
            gateway.close();
            throw e;
        }
    }

    /** What the router tells at once. */
    private final class Signals implements RouterListener {
        @Override
        public void onDemand(String deployment) {
            names.find(deployment)
                    .ifPresent(service -> Controller.this.post(service, service.current(), new Message.Demand()));
        }

        @Override
        public void onBackendFailure(String deployment, String backend, BackendFailure failure, String detail) {
            names.find(deployment)
                    .ifPresent(service -> service.owner(backend)
                            .ifPresent(
                                    slot -> Controller.this.post(service, slot, new Message.Fault(backend, failure))));
        }
    }

    private static boolean isElsewhere(Map<String, Custody> custodies, String name) {
        return Optional.ofNullable(custodies.get(name))
                .filter(Custody::isElsewhere)
                .isPresent();
    }

    private List<Service> readBack(StateSnapshot left, Predicate<String> ours) {
        var services = new LinkedHashMap<String, List<Slot>>();
        for (DeploymentRecord record : left.deployments()) {
            if (!ours.test(Records.service(record))) {
                continue;
            }
            Slot slot = readBack(record, left.resources());
            services.computeIfAbsent(slot.state().name(), name -> new ArrayList<>())
                    .add(slot);
        }
        // Who came back from elsewhere does not take the model of who serves it here.
        List<Service> adopted = services.values().stream()
                .map(Adoption::service)
                .sorted(Comparator.comparing(service -> handover.custodies().containsKey(service.name())))
                .toList();
        adopted.forEach(names::adopt);
        return adopted;
    }

    private Slot readBack(DeploymentRecord record, List<ResourceRecord> resources) {
        List<ResourceRecord> mine = resources.stream()
                .filter(resource -> resource.deploymentId().equals(record.id())
                        && resource.tier().isPresent())
                .toList();
        Managed managed = Records.adopt(record, mine, this::tally, now());
        Keys keys = keyring.of(managed.id(), managed.revision(), managed.request());
        keyring.keep(managed.id(), managed.revision(), keys);
        var slot = new Slot(managed, keys);
        slot.saved = Optional.of(managed);
        slot.savedBackends.putAll(managed.backends());
        return slot;
    }

    /** The books of all revisions go on with the current one. */
    private Tally tally(Revision revision) {
        return revision.isCurrent() ? Tally.EMPTY.plus(parts.store().ledger(revision.account())) : Tally.EMPTY;
    }

    /** What deployments have cost that are over. */
    private void rememberThisMonth() {
        Instant month = now().wall()
                .atOffset(ZoneOffset.UTC)
                .withDayOfMonth(1)
                .truncatedTo(ChronoUnit.DAYS)
                .toInstant();
        new History(parts.store())
                .since(month).stream()
                        .filter(Records::isCurrent)
                        .forEach(record -> purse.over(
                                Records.account(record),
                                finalBill(asItEnded(record), record).days()));
    }

    private void adopt(Service service) {
        tell(service.current().state(), DeploymentEvent.Kind.ADOPTED, Adoption.report(service));
        open(service);
        service.slots().forEach(slot -> post(service, slot, new Message.Tick()));
        service.former().forEach(slot -> post(service, slot, new Message.DestroyAsked()));
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
        requireOpen();
        asking.lock();
        try {
            Now now = now();
            Slot slot = fresh(request, cloud, now);
            requireHere(slot.state().name());
            var service = new Service(slot, Optional.empty(), List.of());
            payRent();
            names.take(service);
            try {
                store(slot, now);
            } catch (RuntimeException e) {
                names.release(service);
                throw e;
            }
            tell(slot.state(), DeploymentEvent.Kind.ACCEPTED, "accepted; the endpoint answers");
            open(service);
            post(service, slot, new Message.Tick());
            return new Handle(this, service);
        } finally {
            asking.unlock();
        }
    }

    private Slot fresh(DeployRequest request, Optional<String> cloud, Now now) {
        String name = request.serviceName().orElseThrow();
        String id = keyring.id(name);
        var revision = Revision.first(id, name, now);
        int target = Fleet.firstTarget(request.effectiveScaling().spot());
        return new Slot(
                Managed.fresh(id, revision, request, now.wall(), cloud, target, now),
                keyring.of(id, revision, request));
    }

    private void requireHere(String name) {
        if (isElsewhere(handover.custodies(), name)) {
            throw new ConfigurationException(
                    ErrorCode.NAME_TAKEN,
                    "a deployment named '" + name + "' is live already, on a router VM; destroy it first, or choose"
                            + " another serviceName");
        }
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
        requireOpen();
        handover.accept(
                request.serviceName().orElseThrow(),
                () -> whileNobodyAsks(() -> {
                    Now now = now();
                    Slot slot = fresh(request, cloud, now);
                    String name = slot.state().name();
                    requireHere(name);
                    if (names.find(name).isPresent()) {
                        throw new ConfigurationException(
                                ErrorCode.NAME_TAKEN,
                                "a deployment named '" + name
                                        + "' is live already; hand it over, destroy it first, or choose"
                                        + " another serviceName");
                    }
                    keyring.keep(slot.state().id(), slot.state().revision(), slot.keys());
                    Custody leaving = Custody.none(name).leaving(id, to);
                    var resources = new ArrayList<>(beside);
                    resources.add(leaving.record(now.wall()));
                    parts.store()
                            .save(new StateChange(
                                    List.of(Records.deployment(slot.state(), now.wall())), resources, List.of()));
                    tell(slot.state(), DeploymentEvent.Kind.ACCEPTED, "accepted, for router VM '" + to + "'");
                    return leaving;
                }));
    }

    private <T> T whileNobodyAsks(Supplier<T> work) {
        asking.lock();
        try {
            return work.get();
        } finally {
            asking.unlock();
        }
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
     * Gives deployments to other controllers, and takes them.
     *
     * @return this controller's end
     */
    public Handover handover() {
        return handover;
    }

    /**
     * Ends the control of a deployment between two steps: no call is under way for it when this returns, and what came of
     * the last ones is on disk. Its requests go on being routed. One that is not looked after here is no error.
     */
    void hold(String name) {
        Optional<Service> found = names.find(name);
        found.ifPresent(this::stopCalls);
        found.ifPresent(this::stopLoop);
        awaitStored(name);
    }

    private void stopCalls(Service service) {
        String name = service.name();
        try {
            if (!service.calls().stop(parts.timings().callLimit().multipliedBy(HOLD_LIMIT))) {
                service.calls().goOn();
                throw new TimedOutException("deployment '" + name + "' cannot be handed over: a call to one of its"
                        + " providers does not come back; try again");
            }
            awaitAnswers();
        } catch (InterruptedException e) {
            service.calls().goOn();
            Thread.currentThread().interrupt();
            throw new TimedOutException("interrupted while deployment '" + name + "' was to be handed over");
        } catch (ExecutionException | TimeoutException e) {
            service.calls().goOn();
            throw new TimedOutException("deployment '" + name + "' cannot be handed over: its control loop is stuck");
        }
    }

    /** What calls that are over have answered is in the mailbox: until it has been taken. */
    private void awaitAnswers() throws InterruptedException, ExecutionException, TimeoutException {
        CompletableFuture.runAsync(() -> {}, mailbox).get(HOLD_SECONDS, TimeUnit.SECONDS);
    }

    private void stopLoop(Service service) {
        loop.lock();
        try {
            payRent();
            service.held = true;
            service.slots().forEach(slot -> slot.timer.ifPresent(timer -> timer.cancel(false)));
        } finally {
            loop.unlock();
        }
        Now now = now();
        service.slots().forEach(slot -> writer.write(last(slot, now), () -> {}));
    }

    /** What is on its way to the disk already, of this deployment and of others. */
    private void awaitStored(String name) {
        var stored = new CompletableFuture<Void>();
        writer.write(NOTHING, () -> stored.complete(null));
        try {
            stored.get(HOLD_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TimedOutException("interrupted while '" + name + "' was to be handed over");
        } catch (ExecutionException | TimeoutException e) {
            throw new TimedOutException("deployment '" + name + "' cannot be handed over: the store cannot be written");
        }
    }

    /** Its counters, up to now. */
    private StateChange last(Slot slot, Now now) {
        Managed managed = slot.state();
        Accounts accounts = managed.accounts();
        var last =
                new Accounts.Stored(Traffic.sum(accounts.before(), load(managed).traffic()), accounts.same());
        slot.swap(managed.with(draft -> draft.accounts = accounts.withStored(last, now.steady())));
        return change(slot, List.of(), now.wall());
    }

    /** Forgets a deployment that another controller has by now. */
    void letGo(String name) {
        names.find(name).ifPresent(service -> {
            tell(service.current().state(), DeploymentEvent.Kind.WARNING, "handed over; no longer looked after here");
            gateway.remove(name);
            names.release(service);
            showThoseWhoWaited();
            end(service, "deployment '" + name + "' was handed over; ask the one who has it now");
        });
    }

    private void end(Service service, String why) {
        var gone = new ConfigurationException(ErrorCode.CLOSED, why);
        events.run(() -> service.fail(gone));
    }

    /**
     * Looks after a deployment as the store has it.
     *
     * @param strays what runs of it and the store does not know
     * @return those that do not fit
     */
    List<Stray> takeUp(String name, List<Stray> strays) {
        payRent();
        names.find(name).ifPresent(before -> {
            names.release(before);
            end(before, "deployment '" + name + "' is looked after here again; ask for it anew");
        });
        List<Service> services = readBack(parts.store().load(), name::equals);
        List<Stray> left = strays.isEmpty() ? strays : join(name, strays);
        services.forEach(this::adopt);
        if (services.isEmpty() && purse.isForAll()) {
            rememberThisMonth(); // it came to be over elsewhere
        }
        return left;
    }

    /** Nobody takes its name or its model while it is stored. */
    void takeIn(String name, Set<String> models, Runnable store) {
        var unused = whileNobodyAsks(() -> {
            requireFree(name, models);
            store.run();
            return takeUp(name, List.of());
        });
    }

    /** Before anything of it is stored. */
    private void requireFree(String name, Set<String> models) {
        requireOpen();
        boolean elsewhere = isElsewhere(handover.custodies(), name);
        names.requireFree(name, models, elsewhere);
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
     * Whether what carries a name at a provider belongs to a deployment that another controller looks after.
     *
     * @param outside the deployment's name, as providers know it
     * @return true if so
     */
    public boolean isElsewhere(String outside) {
        return handover.custodies().values().stream()
                .filter(Custody::isElsewhere)
                .anyMatch(custody -> Names.isRevisionOf(custody.service(), outside));
    }

    /**
     * Whether what carries a name at a provider belongs to a deployment.
     *
     * @param name the deployment's name
     * @param outside the name at the provider
     * @return true if so
     */
    public static boolean isOf(String name, String outside) {
        return Names.isRevisionOf(name, outside);
    }

    /**
     * Whether what carries a name at a provider belongs to a deployment that came here.
     *
     * @param outside the deployment's name, as providers know it
     * @return true if so
     */
    public boolean isHere(String outside) {
        return handover.custodies().values().stream()
                .filter(custody -> !custody.isElsewhere())
                .anyMatch(custody -> Names.isRevisionOf(custody.service(), outside));
    }

    /** Lets requests in, unless money that is spent already keeps them out. */
    private void open(Service service) {
        loop.lock();
        try {
            if (!closed) {
                weigh(service);
            }
            show(service);
        } finally {
            loop.unlock();
        }
    }

    /** Has a new revision and its keys on disk when it returns, or nothing. */
    private void store(Slot slot, Now now) {
        Managed managed = slot.state();
        parts.store().save(StateChange.of(Records.deployment(managed, now.wall())));
        slot.saved = Optional.of(managed);
        try {
            keyring.keep(managed.id(), managed.revision(), slot.keys());
        } catch (RuntimeException e) {
            withdraw(slot, now);
            throw e;
        }
    }

    private void withdraw(Slot slot, Now now) {
        Managed failed = slot.state().with(draft -> draft.phase = DeploymentPhase.FAILED);
        parts.store().save(StateChange.of(Records.deployment(failed, now.wall())));
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
        requireOpen();
        asking.lock();
        try {
            Service service = names.find(request.serviceName().orElseThrow())
                    .orElseThrow(() -> notLive(request.serviceName().orElseThrow(), "is not live; deploy it"));
            inLoop(() -> adjust(service, request, cloud)).ifPresent(next -> roll(service, withKeys(next)));
            return new Handle(this, service);
        } finally {
            asking.unlock();
        }
    }

    private <T> T inLoop(Supplier<T> work) {
        loop.lock();
        try {
            requireOpen();
            return work.get();
        } finally {
            loop.unlock();
        }
    }

    private static ConfigurationException notLive(String name, String why) {
        return new ConfigurationException(ErrorCode.NO_SUCH_DEPLOYMENT, "deployment '" + name + "' " + why);
    }

    /** Does what can be done in place; what cannot comes back as a successor that nobody knows yet. */
    private Optional<Managed> adjust(Service service, DeployRequest request, Optional<String> cloud) {
        Slot current = service.current();
        if (current.state().goal() != Goal.SERVE) {
            throw tearingDown(service);
        }
        current.swap(current.state().withoutProblem(ROLL));
        Slot aim = service.successor().orElse(current);
        if (Rolls.between(aim.state().request(), request) == Rolls.Change.BACKENDS) {
            if (Rolls.between(current.state().request(), request) == Rolls.Change.BACKENDS) {
                return Optional.of(successor(service, request, cloud));
            }
            service.successor().ifPresent(slot -> abandon(service, slot, "what serves now was asked for again"));
            aim = current;
        }
        inPlace(service, aim, request, cloud);
        return Optional.empty();
    }

    private static ConfigurationException tearingDown(Service service) {
        return notLive(service.name(), "is being torn down; deploy it again when that is done");
    }

    private void inPlace(Service service, Slot aim, DeployRequest request, Optional<String> cloud) {
        boolean differs = Rolls.between(aim.state().request(), request) == Rolls.Change.NUMBERS;
        boolean rolling = service.successor().isPresent();
        if (differs) {
            take(service, aim, new Message.Adjusted(request, cloud));
            weigh(service);
            tell(aim.state(), DeploymentEvent.Kind.ACCEPTED, "scaling changed in place");
        }
        if (!rolling && differs) {
            CompletableFuture<RollReport> rolled = service.changing();
            String detail = "replicas are scaled by the new numbers from now on";
            writer.write(NOTHING, () -> tell(service, rolled, RollReport.Outcome.ADJUSTED, detail));
        } else if (!rolling) {
            service.nothingToChange();
        }
    }

    private Managed successor(Service service, DeployRequest request, Optional<String> cloud) {
        Now now = now();
        Managed current = service.current().state();
        int number = service.nextNumber();
        String outside = names.outside(service.name(), number);
        String id = keyring.id(outside);
        Revision revision = current.revision().next(number, outside, now);
        return Managed.fresh(
                id, revision, request, current.createdAt(), cloud, Rolls.firstTarget(request, current), now);
    }

    /** Reads a store that may be slow: not for the control loop. */
    private Slot withKeys(Managed fresh) {
        return new Slot(fresh, keyring.of(fresh.id(), fresh.revision(), fresh.request()));
    }

    private void roll(Service service, Slot successor) {
        names.takeModel(service.name(), successor.state().request());
        try {
            store(successor, now());
        } catch (RuntimeException e) {
            names.settle(service);
            throw e;
        }
        if (!inLoop(() -> begin(service, successor))) {
            withdraw(successor, now());
            keyring.forget(successor.state().id(), successor.state().revision());
            throw tearingDown(service);
        }
        post(service, successor, new Message.Tick());
    }

    private boolean begin(Service service, Slot successor) {
        if (service.current().state().goal() != Goal.SERVE) {
            return false;
        }
        service.successor().ifPresent(older -> abandon(service, older, "another change was asked for"));
        service.begin(successor);
        tell(
                successor.state(),
                DeploymentEvent.Kind.ROLL_STARTED,
                "revision " + successor.state().revision().number() + " is brought up beside revision "
                        + service.current().state().revision().number() + ", which goes on");
        return true;
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
        requireOpen();
        Service service = names.all().stream()
                .filter(each -> each.current().state().revision().outside().equals(outside))
                .findFirst()
                .orElseThrow(() -> notLive(outside, "is not live, so " + stray.resource() + " can only be destroyed"));
        return inLoop(() -> {
            Slot slot = service.current();
            Adoption.misfit(slot.state(), stray).ifPresent(why -> {
                throw new ConfigurationException(
                        ErrorCode.INVALID_REQUEST,
                        stray.resource() + " does not fit deployment '" + service.name() + "': " + why
                                + "; destroy it");
            });
            take(service, slot, new Message.Joined(List.of(stray)));
            return new Handle(this, service);
        });
    }

    /**
     * Makes all that runs of a deployment and fits part of it, in one step.
     *
     * @return what does not fit
     */
    List<Stray> join(String name, List<Stray> strays) {
        return inLoop(() -> {
            var left = new ArrayList<>(strays);
            names.find(name).ifPresent(service -> {
                Slot slot = service.current();
                List<Stray> fitting = strays.stream()
                        .filter(stray -> Adoption.misfit(slot.state(), stray).isEmpty())
                        .toList();
                left.removeAll(fitting);
                take(service, slot, new Message.Joined(fitting));
            });
            return left;
        });
    }

    /** Lets a successor take over, or gives it up, when the time has come. */
    private void judge(Service service) {
        service.successor().ifPresent(successor -> {
            Managed current = service.current().state();
            Managed next = successor.state();
            switch (Rolls.judge(current, next, now().steady(), parts.timings())) {
                case WAIT -> {}
                case TAKE_OVER -> takeOver(service, successor);
                case ABANDON -> fail(service, successor, Rolls.reason(current, next, parts.timings()));
            }
        });
    }

    private void fail(Service service, Slot successor, String reason) {
        abandon(service, successor, reason);
        Slot current = service.current();
        int number = successor.state().revision().number();
        current.swap(current.state().withProblem(ROLL, "revision " + number + " was given up: " + reason));
    }

    /**
     * One write makes the successor the current revision; what it follows is removed, and anybody told, only after that.
     * Requests need not wait for it: after a crash in between both revisions are there, and the next process rolls again.
     */
    private void takeOver(Service service, Slot successor) {
        Now now = now();
        Slot former = service.current();
        RouteLoad load = load(former.state());
        successor.swap(successor.state().with(draft -> {
            draft.revision = draft.revision.as(Revision.Role.CURRENT);
            draft.accounts = draft.accounts.following(former.state().accounts(), load.traffic(), now.steady());
        }));
        former.swap(former.state().with(draft -> draft.revision = draft.revision.as(Revision.Role.FORMER)));
        service.takeOver();
        names.settle(service);
        show(service);
        showThoseWhoWaited();
        String detail = "revision " + successor.state().revision().number()
                + " takes all new requests; revision "
                + former.state().revision().number() + " finishes what it has and is removed";
        CompletableFuture<RollReport> rolled = service.rolled();
        storeBoth(successor, former, now, () -> {
            tell(successor.state(), DeploymentEvent.Kind.ROLLED, detail);
            tell(service, rolled, RollReport.Outcome.ROLLED, detail);
        });
        if (!former.state().served()) {
            tell(successor.state(), DeploymentEvent.Kind.READY, "serves");
        }
        tellIfServing(service, successor.state());
        take(service, former, new Message.DestroyAsked());
    }

    private void abandon(Service service, Slot successor, String reason) {
        Now now = now();
        successor.swap(successor.state().with(draft -> draft.revision = draft.revision.as(Revision.Role.FORMER)));
        service.abandon();
        names.settle(service);
        String detail = "revision " + successor.state().revision().number() + " is given up: " + reason;
        CompletableFuture<RollReport> rolled = service.rolled();
        storeBoth(successor, service.current(), now, () -> tell(service, rolled, RollReport.Outcome.ABANDONED, detail));
        tell(successor.state(), DeploymentEvent.Kind.ROLL_ABANDONED, detail);
        take(service, successor, new Message.DestroyAsked());
    }

    private void beginRent(StateSnapshot left) {
        parts.machine().ifPresent(machine -> {
            inLoop(() -> rent = Optional.of(Rent.of(machine, left.resources())));
            long interval = Rent.INTERVAL.toNanos();
            var unused = parts.threads()
                    .scheduler()
                    .scheduleWithFixedDelay(
                            () -> mailbox.execute(this::payRent), interval, interval, TimeUnit.NANOSECONDS);
        });
    }

    /** Up to now, by those who are here. While nobody is, it is left to the next one who comes. */
    private void payRent() {
        loop.lock();
        try {
            List<Service> payers =
                    names.all().stream().filter(service -> !service.held).toList();
            if (rent.isEmpty() || payers.isEmpty() || closed) {
                return;
            }
            Rent due = rent.get();
            Instant now = now().wall();
            if (!now.isAfter(due.paidUntil())) {
                return;
            }
            var entries = new ArrayList<LedgerEntry>();
            for (Service service : payers) {
                Slot slot = service.current();
                LedgerEntry part = due.part(slot.state().revision().account(), payers.size(), now);
                slot.swap(slot.state()
                        .with(draft -> draft.accounts =
                                draft.accounts.withTally(draft.accounts.tally().plus(List.of(part)))));
                entries.add(part);
            }
            Rent paid = due.paid(now);
            // In one write: nobody's part is entered without the others', nor twice.
            writer.write(new StateChange(List.of(), List.of(paid.record()), entries), () -> {});
            rent = Optional.of(paid);
        } finally {
            loop.unlock();
        }
    }

    /** Two revisions change together or not at all. */
    private void storeBoth(Slot one, Slot other, Now now, Runnable after) {
        writer.write(
                StoreWriter.together(List.of(change(one, List.of(), now.wall()), change(other, List.of(), now.wall()))),
                after);
    }

    private void tell(
            Service service, CompletableFuture<RollReport> rolled, RollReport.Outcome outcome, String detail) {
        events.run(() -> rolled.complete(new RollReport(service.name(), outcome, detail)));
    }

    /**
     * A live deployment.
     *
     * @param name its name
     * @return a handle; empty if there is none of this name
     */
    public Optional<Deployment> find(String name) {
        return names.find(name).map(service -> new Handle(this, service));
    }

    /**
     * Every live deployment.
     *
     * @return handles, oldest first
     */
    public List<Deployment> all() {
        return names.all().stream()
                .<Deployment>map(service -> new Handle(this, service))
                .toList();
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
        return gateway.address();
    }

    /**
     * The outside resources that live deployments account for.
     *
     * @return their names at their providers
     */
    public Set<ResourceRef> known() {
        var known = new HashSet<ResourceRef>();
        names.slots()
                .forEach(slot ->
                        slot.state().present().forEach(backend -> backend.ref().ifPresent(known::add)));
        parts.store().load().resources().forEach(record -> record.resource().ifPresent(known::add));
        return known;
    }

    /**
     * Where there are backends that an earlier process left and that have not been looked at: they are shown as they were stored.
     *
     * @return names of providers
     */
    public SortedSet<String> unseen() {
        return names.slots().stream()
                .flatMap(slot -> slot.state().present().stream())
                .filter(Backend::isUnseen)
                .map(Backend::provider)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /**
     * The serverless endpoints of a live deployment, as far as they have been made.
     *
     * @param name its name
     * @return their names at their providers by id, those of the serving revision first; empty if no deployment of this
     *     name is live
     */
    public Optional<Map<String, ResourceRef>> endpoints(String name) {
        return names.find(name).map(service -> {
            var endpoints = new LinkedHashMap<String, ResourceRef>();
            service.slots().stream()
                    .flatMap(slot -> slot.state().present().stream())
                    .filter(Backend::isServerless)
                    .forEach(endpoint -> endpoint.ref().ifPresent(ref -> endpoints.put(endpoint.id(), ref)));
            return endpoints;
        });
    }

    /**
     * Whether a deployment is making something at a provider whose name there is not known yet.
     *
     * @param deployment its name, as providers know it
     * @param provider the provider
     * @return true if something found there may be that
     */
    public boolean isMaking(String deployment, String provider) {
        return names.slots().stream()
                .filter(slot -> slot.state().revision().outside().equals(deployment))
                .flatMap(slot -> slot.state().present().stream())
                .anyMatch(
                        backend -> backend.ref().isEmpty() && backend.provider().equals(provider));
    }

    /**
     * Deployments that are over.
     *
     * @param limit how many at the most
     * @return their last state and their final bill, newest first
     */
    public List<Ended> ended(int limit) {
        return new History(parts.store())
                .newest(limit, Records::isCurrent).stream().map(this::ended).toList();
    }

    /**
     * The last deployment of a name that is over.
     *
     * @param name its name
     * @return its last state and its final bill; empty if none of this name is over
     */
    public Optional<Ended> ended(String name) {
        return new History(parts.store())
                .newest(1, record -> Records.service(record).equals(name) && Records.isCurrent(record)).stream()
                        .findFirst()
                        .map(this::ended);
    }

    private Ended ended(DeploymentRecord record) {
        Managed managed = asItEnded(record);
        return new Ended(
                Reports.status(managed, List.of(), RouteLoad.NONE, endpoint(), parts.timings()),
                finalBill(managed, record));
    }

    /**
     * What the store knows of a deployment that another controller looks after, as of when it was handed over.
     *
     * @param name its name
     * @return its last known state
     * @throws ConfigurationException {@code NO_SUCH_DEPLOYMENT}
     */
    public Away away(String name) {
        DeploymentRecord record = parts.store().load().deployments().stream()
                .filter(each -> Records.service(each).equals(name) && Records.isCurrent(each))
                .findFirst()
                .orElseThrow(() -> notLive(name, "is not live"));
        Managed managed = asItEnded(record);
        return new Away(
                managed.request(),
                managed.request().publicAccess()
                        ? Optional.empty()
                        : parts.secrets().get(Specs.routerKey(managed.revision().account())),
                Reports.status(managed, List.of(), RouteLoad.NONE, endpoint(), parts.timings()),
                Reports.cost(managed, List.of(), Tally.EMPTY, now()));
    }

    /**
     * A deployment that another controller looks after, as it was handed over.
     *
     * @param request what was asked for
     * @param apiKey what clients send; empty if nothing
     * @param status its state; its endpoint is the one here
     * @param cost its bill
     */
    public record Away(DeployRequest request, Optional<Secret> apiKey, DeploymentStatus status, CostReport cost) {}

    private Managed asItEnded(DeploymentRecord record) {
        return Records.adopt(record, List.of(), this::tally, at(record));
    }

    private static CostReport finalBill(Managed managed, DeploymentRecord record) {
        return Reports.cost(managed, List.of(), Tally.EMPTY, at(record));
    }

    private static Now at(DeploymentRecord record) {
        return new Now(record.updatedAt(), record.updatedAt());
    }

    /**
     * A deployment that is over.
     *
     * @param status its last state
     * @param cost its final bill
     */
    public record Ended(DeploymentStatus status, CostReport cost) {}

    Optional<String> certificate() {
        return gateway.certificate();
    }

    URI endpoint() {
        return URI.create(gateway.address() + "/v1");
    }

    DeploymentStatus status(Service service) {
        Service.Lineup lineup = service.lineup();
        Managed current = lineup.current().state();
        DeploymentStatus status = Reports.status(current, lineup.others(), load(current), endpoint(), parts.timings());
        return writer.problem().map(problem -> withProblem(status, problem)).orElse(status);
    }

    private static DeploymentStatus withProblem(DeploymentStatus status, String problem) {
        var problems = new ArrayList<>(status.problems());
        problems.add("state cannot be stored, so nothing is begun or removed: " + problem);
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

    CostReport cost(Service service) {
        CostReport bill = bill(service);
        return bill.withBudgets(purse.uses(service, bill, () -> spentByAll(bill.to()), bill.to()));
    }

    private CostReport bill(Service service) {
        Service.Lineup lineup = service.lineup();
        return Reports.cost(lineup.current().state(), lineup.others(), lineup.past(), now());
    }

    CompletableFuture<DestroyReport> destroy(Service service) {
        requireOpen();
        post(service, service.current(), new Message.DestroyAsked());
        service.former().forEach(slot -> post(service, slot, new Message.DestroyAsked()));
        return service.destroyed().copy();
    }

    private RouteLoad load(Managed managed) {
        return managed.isOver() ? RouteLoad.NONE : gateway.load(managed.name());
    }

    private void requireOpen() {
        if (closed || retiring) {
            throw new ConfigurationException(ErrorCode.CLOSED, "this Tuna is closed; start another one");
        }
    }

    private Now now() {
        Duration passed = Duration.ofNanos(parts.ticker().getAsLong() - ticksAtStart);
        return new Now(parts.clock().instant(), wallAtStart.plus(passed));
    }

    private void post(Service service, Slot slot, Message message) {
        if (!closed) {
            mailbox.execute(() -> handle(service, slot, message));
        }
    }

    private void handle(Service service, Slot slot, Message message) {
        loop.lock();
        try {
            if (!closed && !service.held) {
                take(service, slot, message);
                judge(service);
                if (message instanceof Message.Tick
                        || message instanceof Message.FleetSeen
                        || message instanceof Message.EndpointSeen) {
                    weigh(service);
                }
            }
        } finally {
            loop.unlock();
        }
    }

    /** Has what was spent held against what may be, and every revision heed the outcome. */
    private void weigh(Service service) {
        if (service.current().state().isOver()
                || !purse.watches(service.current().state())) {
            return;
        }
        Now now = now();
        List<BudgetUse> uses = purse.weigh(service, bill(service), () -> spentByAll(now.wall()), now);
        for (Slot slot : service.slots()) {
            Managed managed = slot.state();
            Restraint next = Restraint.of(uses, Purse.rented(managed), managed.restraint());
            if (!next.equals(managed.restraint())) {
                take(service, slot, new Message.Budgeted(next));
            }
        }
    }

    /**
     * What all deployments together may cost and have cost.
     *
     * @return this controller's part in it
     */
    public Treasury treasury() {
        return treasury;
    }

    BudgetReport standing() {
        Instant now = wallTime();
        return purse.report(spentByAll(now), now);
    }

    /** Holds all deployments to other limits from now on. */
    void heed(Budget limits) {
        requireOpen();
        if (!purse.isForAll()) {
            rememberThisMonth();
        }
        inLoop(() -> {
            purse.become(limits);
            names.all().forEach(this::weigh);
            return limits;
        });
    }

    private Spent spentByAll(Instant now) {
        return purse.all(living(now), now);
    }

    /** What was spent on those that are or were looked after here. */
    List<Outlay> outlays() {
        Instant now = wallTime();
        return purse.here(living(now), now);
    }

    private List<Outlay> living(Instant now) {
        return names.all().stream()
                .map(service -> Outlay.of(account(service), bill(service), now))
                .toList();
    }

    private static String account(Service service) {
        return service.current().state().revision().account();
    }

    Instant wallTime() {
        return now().wall();
    }

    private void take(Service service, Slot slot, Message message) {
        Managed before = pools.tell(slot.state());
        Now now = now();
        Brain.Step step = Brain.step(before, message, () -> load(before), now, parts.timings());
        Managed after = step.state();
        if (after.equals(before)) {
            slot.swap(before);
            if (message instanceof Message.Tick) {
                remind(service, slot, now);
            }
            return;
        }
        slot.swap(after);
        slot.learnedOfPools |= pools.learn(before, after);
        if (!Routes.sameRoute(before, after)) {
            show(service);
        }
        events.tell(Happenings.between(before, after, now.wall()));
        tellIfServing(service, after);
        act(service, slot, step, now);
        remind(service, slot, now);
    }

    /** Once per process: who asks an adopted deployment whether it is ready has not been told by the process before. */
    private void tellIfServing(Service service, Managed after) {
        if (!service.toldReady && after.served() && after.revision().isCurrent()) {
            service.toldReady = true;
            events.run(() -> service.ready().complete(new Handle(this, service)));
        }
    }

    private void act(Service service, Slot slot, Brain.Step step, Now now) {
        Managed after = step.state();
        StateChange change = change(slot, step.entries(), now.wall());
        var outside = new ArrayList<Effect>();
        var inside = new ArrayList<Effect>();
        step.effects().forEach(effect -> (effect.isOutside() ? outside : inside).add(effect));
        if (!StoreWriter.isEmpty(change) || !outside.isEmpty()) {
            // Even a change of nothing has its place in the queue: what it waits for may still be on its way to the
            // disk.
            writer.write(change, () -> outside.forEach(effect -> run(service, slot, after, effect)));
        }
        inside.forEach(effect -> run(service, slot, after, effect));
    }

    private void run(Service service, Slot slot, Managed state, Effect effect) {
        if (closed) {
            return;
        }
        if (effect instanceof Effect.Finish) {
            finish(service, slot);
        } else {
            runner.run(
                    effect,
                    state,
                    slot.keys(),
                    service.calls().permit(() -> !closed && slot.state().awaits(effect.generation())),
                    message -> post(service, slot, message));
        }
    }

    /** What of a new state the store does not have yet. */
    private static StateChange change(Slot slot, List<LedgerEntry> entries, Instant now) {
        Managed after = slot.state();
        var deployments = new ArrayList<DeploymentRecord>();
        if (slot.learnedOfPools || slot.saved.isEmpty() || !Records.sameInStore(slot.saved.get(), after)) {
            deployments.add(Records.deployment(after, now));
        }
        slot.learnedOfPools = false;
        slot.saved = Optional.of(after);
        var resources = new ArrayList<ResourceRecord>();
        for (Backend backend : after.backends().values()) {
            Backend saved = slot.savedBackends.put(backend.id(), backend);
            if (saved == null || !Records.sameInStore(saved, backend)) {
                resources.add(Records.resource(after, backend, now));
            }
            if (backend.isGone()) {
                slot.savedBackends.remove(backend.id());
            }
        }
        return new StateChange(deployments, resources, entries);
    }

    /** Hands the router a new route, if it is one. */
    private void show(Service service) {
        if (service.current().state().isOver() || !mayServe(service)) {
            return;
        }
        Route route = Routes.of(service.current(), service.former(), parts.routePolicy(), now());
        if (!service.route.equals(Optional.of(route))) {
            service.route = Optional.of(route);
            gateway.put(route);
        }
    }

    /** Two that serve one model may have come together here when a router VM was lost: the second one waits for the first. */
    private boolean mayServe(Service service) {
        Slot slot = service.current();
        String model = slot.state().request().model();
        Optional<String> other = names.claim(service);
        if (other.isEmpty()) {
            slot.swap(slot.state().withoutProblem(MODEL));
            return true;
        }
        Managed waiting = slot.state()
                .withProblem(
                        MODEL,
                        "model '" + model + "' is served at this endpoint by deployment '" + other.get()
                                + "', so no request reaches this one until that is gone");
        if (!waiting.equals(slot.state())) {
            slot.swap(waiting);
            tell(waiting, DeploymentEvent.Kind.WARNING, "no request reaches it: its model is served by " + other.get());
        }
        return false;
    }

    /** When a model is served no more, somebody may have waited for that. */
    private void showThoseWhoWaited() {
        loop.lock();
        try {
            names.all().stream()
                    .filter(service -> service.route.isEmpty() && !service.held)
                    .forEach(this::show);
        } finally {
            loop.unlock();
        }
    }

    private void remind(Service service, Slot slot, Now now) {
        Managed managed = slot.state();
        if (!managed.isOver() && slot.remindedAt.equals(managed.lookAt()) && isPending(slot)) {
            return;
        }
        slot.timer.ifPresent(timer -> timer.cancel(false));
        slot.timer = Optional.empty();
        slot.remindedAt = managed.lookAt();
        if (!managed.isOver()) {
            long delay =
                    Math.max(1, Duration.between(now.steady(), managed.lookAt()).toNanos());
            try {
                slot.timer = Optional.of(parts.threads()
                        .scheduler()
                        .schedule(() -> post(service, slot, new Message.Tick()), delay, TimeUnit.NANOSECONDS));
            } catch (RejectedExecutionException e) {
                LOG.debug("No further tick, Tuna is closing");
            }
        }
    }

    private static boolean isPending(Slot slot) {
        return slot.timer.filter(timer -> !timer.isDone()).isPresent();
    }

    /** The store has it that nothing is left of a revision. */
    private void finish(Service service, Slot slot) {
        if (slot.state().revision().isCurrent()) {
            finish(service);
        } else {
            mailbox.execute(() -> left(service, slot));
        }
    }

    /** Now the endpoint goes, and whoever waits is told. */
    private void finish(Service service) {
        Managed managed = service.current().state();
        gateway.remove(managed.name());
        payRent();
        moveToOver(service);
        var report = new DestroyReport(managed.name(), managed.ending().removed(), cost(service));
        events.run(() -> {
            service.ready().completeExceptionally(neverServed(managed));
            service.destroyed().complete(report);
        });
    }

    /** Under the lock, so that whoever weighs counts what it has cost once: as that of one who lives, or of one who is over. */
    private void moveToOver(Service service) {
        loop.lock();
        try {
            names.release(service);
            purse.over(account(service), bill(service).days());
            showThoseWhoWaited();
        } finally {
            loop.unlock();
        }
    }

    /** What a revision that is over leaves to the current one: its part of the bill, and of the report if all of it goes. */
    private void left(Service service, Slot former) {
        loop.lock();
        try {
            service.left(former);
            Slot current = service.current();
            if (current.state().goal() != Goal.SERVE) {
                former.state()
                        .ending()
                        .removed()
                        .forEach(resource -> current.swap(
                                current.state().with(draft -> draft.ending = draft.ending.removing(resource))));
            }
            show(service);
            post(service, current, new Message.Tick());
        } finally {
            loop.unlock();
        }
    }

    private static TunaException neverServed(Managed managed) {
        return managed.phase() == DeploymentPhase.FAILED
                ? new ConfigurationException(
                        ErrorCode.PREFLIGHT_FAILED, "deployment '" + managed.name() + "' failed: " + managed.reason())
                : new ConfigurationException(
                        ErrorCode.NO_SUCH_DEPLOYMENT,
                        "deployment '" + managed.name() + "' was destroyed before it served");
    }

    private void tell(Managed managed, DeploymentEvent.Kind kind, String message) {
        events.tell(
                List.of(new DeploymentEvent(parts.clock().instant(), managed.name(), kind, Optional.empty(), message)));
    }

    /**
     * Stops the endpoint and the loop, stores the last counters and destroys nothing. Idempotent.
     *
     * <p>The parts stay open; the caller stops the threads next.
     */
    @Override
    public void close() {
        boolean first = stop();
        gateway.close();
        if (first) {
            names.slots().forEach(Controller::warnOfCosts);
        }
    }

    /**
     * Stops the loop and stores the last counters; the endpoint goes on with the routes it has until {@link #close}. Nothing
     * new is accepted from the beginning on, and calls that are under way are waited for, so that what comes of them is
     * stored; of one that does not come back the next process knows what it knows after a crash. Idempotent.
     */
    public void retire() {
        retiring = true;
        long limit = parts.timings().callLimit().multipliedBy(HOLD_LIMIT).toNanos();
        long end = System.nanoTime() + limit;
        try {
            for (Service service : names.all()) {
                var unused = service.calls().stop(Duration.ZERO);
            }
            for (Service service : names.all()) {
                Duration left = Duration.ofNanos(Math.max(0, end - System.nanoTime()));
                if (!service.calls().stop(left)) {
                    LOG.warn("{}: a call to one of its providers does not come back; it is given up", service.name());
                }
            }
            awaitAnswers();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn("The control loop is stuck; what it has not taken note of is given up", e);
        }
        stop();
    }

    /** Whether it was not stopped before. */
    private boolean stop() {
        payRent();
        loop.lock();
        try {
            if (closed) {
                return false;
            }
            closed = true;
            names.slots().forEach(slot -> slot.timer.ifPresent(timer -> timer.cancel(false)));
        } finally {
            loop.unlock();
        }
        List<Slot> slots = names.slots();
        storeLast(slots);
        var failure = new ConfigurationException(ErrorCode.CLOSED, "this Tuna was closed; the next start goes on");
        names.all().forEach(service -> service.fail(failure));
        return true;
    }

    private void storeLast(List<Slot> slots) {
        try {
            writer.flush();
            Now now = now();
            for (Slot slot : slots) {
                if (slot.state().isOver()) {
                    continue;
                }
                StateChange change = last(slot, now);
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
}
