package dev.tuna.core.control;

import dev.tuna.api.BudgetUse;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.TunaException;
import dev.tuna.core.budget.Restraint;
import dev.tuna.core.provider.Alarms;
import dev.tuna.core.provider.Helpers;
import dev.tuna.router.BackendFailure;
import dev.tuna.router.Route;
import dev.tuna.router.RouteLoad;
import dev.tuna.router.RouterListener;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateSnapshot;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The control loop. Messages about a deployment are taken one at a time; each swaps the deployment's state whole, stores
 * what has changed, and has done what was decided: what makes or removes something outside only after the store has it.
 *
 * <p>Thread-safe. State is written under {@code loop}, which nobody holds for longer than one decision.
 */
final class ControlLoop {

    private static final Logger LOG = LoggerFactory.getLogger(ControlLoop.class);

    /** The topic of who else serves its model. */
    private static final String MODEL = "model";

    private final ControlParts parts;
    private final Times times;
    private final Names names;
    private final Spending spending;
    private final EventBus events;
    private final StoreWriter writer;
    private final Rental rental;
    private final Function<Service, Deployment> handles;
    private final Mailbox mailbox;
    private final Runner runner;
    private final CommonKnowledge pools = new CommonKnowledge();
    private final ReentrantLock loop = new ReentrantLock();
    private final Gateway gateway;
    private volatile Consumer<Service> judge = service -> {};
    private final List<ScheduledFuture<?>> timers = new CopyOnWriteArrayList<>();
    private volatile boolean retiring;
    private volatile boolean closed;

    /**
     * Opens the endpoint; nothing is looked after yet.
     *
     * @param handles what users are given
     * @throws TunaException if the endpoint cannot be opened
     */
    ControlLoop(
            ControlParts parts,
            Times times,
            Names names,
            Spending spending,
            Rental rental,
            Keyring keyring,
            EventBus events,
            StoreWriter writer,
            StateSnapshot left,
            Function<Service, Deployment> handles) {
        Threads threads = parts.threads();
        this.parts = parts;
        this.times = times;
        this.names = names;
        this.spending = spending;
        this.events = events;
        this.writer = writer;
        this.rental = rental;
        this.handles = handles;
        this.mailbox = new Mailbox(threads.scheduler());
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
        pools.recall(left.deployments(), parts.store(), times.now().steady());
        this.gateway = parts.gateway().apply(new Signals());
    }

    /** Who is asked about a deployment after every message. */
    void judgedBy(Consumer<Service> next) {
        judge = next;
    }

    Gateway gateway() {
        return gateway;
    }

    Mailbox mailbox() {
        return mailbox;
    }

    /** What the router tells at once. */
    private final class Signals implements RouterListener {
        @Override
        public void onDemand(String deployment) {
            names.find(deployment)
                    .ifPresent(service -> ControlLoop.this.post(service, service.current(), new Message.Demand()));
        }

        @Override
        public void onBackendFailure(String deployment, String backend, BackendFailure failure, String detail) {
            names.find(deployment)
                    .ifPresent(service -> service.owner(backend)
                            .ifPresent(
                                    slot -> ControlLoop.this.post(service, slot, new Message.Fault(backend, failure))));
        }
    }

    /** Looks after what was left by another process or controller. */
    void adopt(Service service) {
        tell(service.current().state(), DeploymentEvent.Kind.ADOPTED, Adoption.report(service));
        open(service);
        service.slots().forEach(slot -> post(service, slot, new Message.Tick()));
        service.former().forEach(slot -> post(service, slot, new Message.DestroyAsked()));
    }

    /** Goes on routing the requests of what is being handed over; nothing else is done for it. */
    void adoptHeld(Service service) {
        loop.lock();
        try {
            service.held = true;
            show(service);
        } finally {
            loop.unlock();
        }
    }

    /** Lets requests in, unless money that is spent already keeps them out. */
    void open(Service service) {
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

    void post(Service service, Slot slot, Message message) {
        if (!closed) {
            mailbox.execute(() -> handle(service, slot, message));
        }
    }

    private void handle(Service service, Slot slot, Message message) {
        loop.lock();
        try {
            if (!closed && !service.held) {
                take(service, slot, message);
                judge.accept(service);
                if (message instanceof Message.Tick
                        || message instanceof Message.FleetSeen
                        || message instanceof Message.EndpointSeen) {
                    weigh(service);
                }
            } else if (service.held && message instanceof Message.DestroyAsked) {
                service.endAsked = true;
            }
        } finally {
            loop.unlock();
        }
    }

    /** Has what was spent held against what may be, and every revision heed the outcome. */
    void weigh(Service service) {
        if (service.held
                || service.current().state().isOver()
                || !spending.purse().watches(service.current().state())) {
            return;
        }
        Now now = times.now();
        List<BudgetUse> uses = spending.weigh(service, now);
        BigDecimal rent = rental.usdPerHour(service, now.wall());
        for (Slot slot : service.slots()) {
            Managed managed = slot.state();
            BigDecimal others = service.slots().stream()
                    .filter(other -> other != slot)
                    .map(other -> Purse.untilGone(other.state(), now.steady()))
                    .reduce(rent, BigDecimal::add);
            Restraint next = Restraint.of(uses, Purse.rented(managed, others), managed.restraint());
            if (!next.equals(managed.restraint())) {
                take(service, slot, new Message.Budgeted(next));
            }
        }
    }

    /** One decision about a revision, and all that follows from it. To be called in the loop. */
    void take(Service service, Slot slot, Message message) {
        Managed before = pools.tell(slot.state());
        Now now = times.now();
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
    void tellIfServing(Service service, Managed after) {
        if (!service.toldReady && after.served() && after.revision().isCurrent()) {
            service.toldReady = true;
            events.run(() -> service.ready().complete(handles.apply(service)));
        }
    }

    private void act(Service service, Slot slot, Brain.Step step, Now now) {
        Managed after = step.state();
        StateChange change = slot.unsaved(step.entries(), now.wall());
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

    /** Hands the router a new route, if it is one. */
    void show(Service service) {
        if (service.current().state().isOver() || !mayServe(service)) {
            return;
        }
        Route route = Routes.of(service.current(), service.former(), parts.routePolicy(), times.now());
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
    void showThoseWhoWaited() {
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
        var report = new DestroyReport(managed.name(), managed.ending().removed(), spending.cost(service));
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
            spending.over(service);
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

    void tell(Managed managed, DeploymentEvent.Kind kind, String message) {
        events.tell(
                List.of(new DeploymentEvent(parts.clock().instant(), managed.name(), kind, Optional.empty(), message)));
    }

    /** Does something between two decisions. */
    <T> T inLoop(Supplier<T> work) {
        loop.lock();
        try {
            requireOpen();
            return work.get();
        } finally {
            loop.unlock();
        }
    }

    void requireOpen() {
        if (closed || retiring) {
            throw new ConfigurationException(ErrorCode.CLOSED, "this Tuna is closed; start another one");
        }
    }

    RouteLoad load(Managed managed) {
        return managed.isOver() ? RouteLoad.NONE : gateway.load(managed.name());
    }

    /** Its counters, up to now. */
    StateChange last(Slot slot, Now now) {
        Managed managed = slot.state();
        Accounts accounts = managed.accounts();
        var last =
                new Accounts.Stored(Traffic.sum(accounts.before(), load(managed).traffic()), accounts.same());
        slot.swap(managed.with(draft -> draft.accounts = accounts.withStored(last, now.steady())));
        return slot.unsaved(List.of(), now.wall());
    }

    /** Has the rent of the machine, if there is one, entered once an hour from now on. */
    void beginRent() {
        if (inLoop(rental::isDue)) {
            repeat(Rent.INTERVAL, () -> mailbox.execute(this::payRent));
        }
    }

    /** Has it noted that replicas are looked after, as long as there are any. */
    void beginWatch(Watch watch) {
        repeat(Watch.INTERVAL, () -> {
            if (names.slots().stream().anyMatch(slot -> slot.state().replicas(replica -> !replica.isGone()) > 0)) {
                parts.threads().store().execute(() -> note(watch));
            }
        });
    }

    private void note(Watch watch) {
        try {
            watch.note(times.now().wall());
        } catch (RuntimeException e) {
            LOG.warn("It could not be stored that replicas are looked after", e);
        }
    }

    private void repeat(Duration interval, Runnable work) {
        timers.add(parts.threads()
                .scheduler()
                .scheduleWithFixedDelay(work, interval.toNanos(), interval.toNanos(), TimeUnit.NANOSECONDS));
    }

    /** What the machine costs, as whoever asked its cloud tells. */
    void rentCosts(BigDecimal usdPerHour) {
        inLoop(() -> {
            rental.costs(usdPerHour, times.now().wall());
            return usdPerHour;
        });
    }

    void payRent() {
        loop.lock();
        try {
            if (!closed) {
                rental.pay(times.now().wall());
            }
        } finally {
            loop.unlock();
        }
    }

    /** No message about it is taken any more. */
    void hold(Service service) {
        loop.lock();
        try {
            payRent();
            service.held = true;
            service.slots().forEach(slot -> slot.timer.ifPresent(timer -> timer.cancel(false)));
        } finally {
            loop.unlock();
        }
    }

    /** Messages about it are taken again. */
    void goOn(Service service) {
        boolean ends = inHand(service);
        service.slots().forEach(slot -> post(service, slot, ends ? new Message.DestroyAsked() : new Message.Tick()));
    }

    /** Whether its end was asked for meanwhile. */
    private boolean inHand(Service service) {
        loop.lock();
        try {
            service.held = false;
            return service.endAsked;
        } finally {
            loop.unlock();
        }
    }

    /** Accepts nothing new from now on. */
    void retire() {
        retiring = true;
    }

    /**
     * No decision is taken any more.
     *
     * @return whether any could have been until now
     */
    boolean stop() {
        loop.lock();
        try {
            if (closed) {
                return false;
            }
            closed = true;
            timers.forEach(timer -> timer.cancel(false));
            names.slots().forEach(slot -> slot.timer.ifPresent(timer -> timer.cancel(false)));
            return true;
        } finally {
            loop.unlock();
        }
    }
}
