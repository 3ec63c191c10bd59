package dev.tuna.core.control;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.api.TunaException;
import dev.tuna.core.ledger.ContainerRules;
import dev.tuna.core.ledger.SameTraffic;
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
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
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

    private final ControlParts parts;
    private final Mailbox mailbox;
    private final EventBus events;
    private final StoreWriter writer;
    private final Runner runner;
    private final Gateway gateway;
    private final Names names = new Names();
    private final ReentrantLock loop = new ReentrantLock();
    private final Instant wallAtStart;
    private final long ticksAtStart;
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
        this.runner = new Runner(
                parts.clouds(),
                new Chooser(parts.clouds(), parts.catalog()),
                parts.secrets(),
                parts.prober(),
                threads.calls(),
                threads.endings(),
                parts.orphanTimeout());
        parts.listeners().forEach(events::subscribe);
        StateSnapshot left = parts.store().load();
        List<Slot> adopted = left.deployments().stream()
                .map(record -> readBack(record, left.resources()))
                .toList();
        this.gateway = parts.gateway().apply(new Signals());
        try {
            adopted.forEach(this::adopt);
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
            post(deployment, new Message.Demand());
        }

        @Override
        public void onBackendFailure(String deployment, String backend, BackendFailure failure, String detail) {
            post(deployment, new Message.Fault(backend, failure));
        }

        private void post(String deployment, Message message) {
            names.find(deployment).ifPresent(slot -> Controller.this.post(slot, message));
        }
    }

    private Slot readBack(DeploymentRecord record, List<ResourceRecord> resources) {
        List<ResourceRecord> mine = resources.stream()
                .filter(resource -> resource.deploymentId().equals(record.id())
                        && resource.tier().isPresent())
                .toList();
        Tally tally = Tally.EMPTY.plus(parts.store().ledger(record.id()));
        Managed managed = Records.adopt(record, mine, tally, now());
        var slot = new Slot(managed, keys(managed.id(), managed.request()));
        slot.saved = Optional.of(managed);
        slot.savedBackends.putAll(managed.backends());
        names.take(managed.request(), slot);
        return slot;
    }

    private void adopt(Slot slot) {
        Managed managed = slot.state();
        show(slot, managed);
        tell(
                managed,
                DeploymentEvent.Kind.ADOPTED,
                "looked after again, with " + managed.present().size() + " backends of an earlier process");
        post(slot, new Message.Tick());
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
        String id = request.serviceName().orElseThrow() + "-" + hex(10);
        Now now = now();
        var slot = new Slot(fresh(id, request, cloud, now), newKeys(request));
        names.take(request, slot);
        try {
            DeploymentRecord record = Records.deployment(slot.state(), now.wall());
            parts.store().save(StateChange.of(record));
            slot.saved = Optional.of(slot.state());
            keep(id, slot.keys());
        } catch (RuntimeException e) {
            abandon(slot, now);
            throw e;
        }
        show(slot, slot.state());
        tell(slot.state(), DeploymentEvent.Kind.ACCEPTED, "accepted; the endpoint answers");
        post(slot, new Message.Tick());
        return new Handle(this, slot);
    }

    private static Managed fresh(String id, DeployRequest request, Optional<String> cloud, Now now) {
        var spot = request.effectiveScaling().spot();
        int first = Math.min(spot.maxReplicas(), Math.max(1, spot.minReplicas()));
        var same = SameTraffic.start(
                ContainerRules.of(request.effectiveScaling().serverless(), Duration.ZERO), now.steady());
        return new Managed(
                id,
                request.serviceName().orElseThrow(),
                request,
                now.wall(),
                Goal.SERVE,
                "",
                DeploymentPhase.ACTIVE,
                Map.of(),
                Choice.OPEN,
                Fleet.of(cloud, first),
                Accounts.start(same, now),
                Ending.NOT_BEGUN,
                false,
                Map.of(),
                0,
                now.steady());
    }

    private void abandon(Slot slot, Now now) {
        names.release(slot);
        if (slot.saved.isPresent()) {
            Managed failed = slot.state().with(draft -> draft.phase = DeploymentPhase.FAILED);
            parts.store().save(StateChange.of(Records.deployment(failed, now.wall())));
        }
    }

    private Keys newKeys(DeployRequest request) {
        return Keys.of(
                request.publicAccess() ? Optional.empty() : Optional.of(Secret.of("tuna-" + hex(64))),
                Secret.of(hex(64)));
    }

    private void keep(String id, Keys keys) {
        parts.secrets().put(Specs.engineKey(id), keys.engine());
        keys.router().ifPresent(key -> parts.secrets().put(Specs.routerKey(id), key));
    }

    /** The keys of an earlier process; new ones for what it could not store any more. */
    private Keys keys(String id, DeployRequest request) {
        Keys made = newKeys(request);
        var keys = Keys.of(
                made.router().map(key -> stored(Specs.routerKey(id)).orElse(key)),
                stored(Specs.engineKey(id)).orElse(made.engine()));
        keep(id, keys);
        return keys;
    }

    private Optional<Secret> stored(SecretRef ref) {
        return parts.secrets().get(ref);
    }

    private String hex(int digits) {
        byte[] bytes = new byte[digits / 2];
        parts.random().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /**
     * A live deployment.
     *
     * @param name its name
     * @return a handle; empty if there is none of this name
     */
    public Optional<Deployment> find(String name) {
        return names.find(name).map(slot -> new Handle(this, slot));
    }

    /**
     * Every live deployment.
     *
     * @return handles, oldest first
     */
    public List<Deployment> all() {
        return names.all().stream()
                .<Deployment>map(slot -> new Handle(this, slot))
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
        names.all()
                .forEach(slot ->
                        slot.state().present().forEach(backend -> backend.ref().ifPresent(known::add)));
        parts.store().load().resources().forEach(record -> record.resource().ifPresent(known::add));
        return known;
    }

    /**
     * Whether a deployment is making something at a provider whose name there is not known yet.
     *
     * @param deployment its name
     * @param provider the provider
     * @return true if something found there may be that
     */
    public boolean isMaking(String deployment, String provider) {
        return names.find(deployment).stream()
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
        return parts.store().ended(limit).stream().map(this::ended).toList();
    }

    private Ended ended(DeploymentRecord record) {
        Tally tally = Tally.EMPTY.plus(parts.store().ledger(record.id()));
        Now then = new Now(record.updatedAt(), record.updatedAt());
        Managed managed = Records.adopt(record, List.of(), tally, then);
        return new Ended(Reports.status(managed, RouteLoad.NONE, endpoint()), Reports.cost(managed, then));
    }

    /**
     * A deployment that is over.
     *
     * @param status its last state
     * @param cost its final bill
     */
    public record Ended(DeploymentStatus status, CostReport cost) {}

    URI endpoint() {
        return URI.create(gateway.address() + "/v1");
    }

    DeploymentStatus status(Slot slot) {
        Managed managed = slot.state();
        DeploymentStatus status = Reports.status(managed, load(managed), endpoint());
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
                problems);
    }

    CostReport cost(Slot slot) {
        return Reports.cost(slot.state(), now());
    }

    CompletableFuture<DestroyReport> destroy(Slot slot) {
        requireOpen();
        post(slot, new Message.DestroyAsked());
        return slot.destroyed().copy();
    }

    private RouteLoad load(Managed managed) {
        return managed.isOver() ? RouteLoad.NONE : gateway.load(managed.name());
    }

    private void requireOpen() {
        if (closed) {
            throw new ConfigurationException(ErrorCode.CLOSED, "this Tuna is closed; start another one");
        }
    }

    private Now now() {
        Duration passed = Duration.ofNanos(parts.ticker().getAsLong() - ticksAtStart);
        return new Now(parts.clock().instant(), wallAtStart.plus(passed));
    }

    private void post(Slot slot, Message message) {
        if (!closed) {
            mailbox.execute(() -> handle(slot, message));
        }
    }

    private void handle(Slot slot, Message message) {
        loop.lock();
        try {
            if (!closed) {
                take(slot, message);
            }
        } finally {
            loop.unlock();
        }
    }

    private void take(Slot slot, Message message) {
        Managed before = slot.state();
        Now now = now();
        Brain.Step step = Brain.step(before, message, load(before), now, parts.timings());
        Managed after = step.state();
        if (after.equals(before)) {
            if (message instanceof Message.Tick) {
                remind(slot, after, now);
            }
            return;
        }
        slot.swap(after);
        show(slot, after);
        events.tell(Happenings.between(before, after, now.wall()));
        if (!before.served() && after.served()) {
            events.run(() -> slot.ready().complete(new Handle(this, slot)));
        }
        act(slot, after, step, now);
        remind(slot, after, now);
    }

    private void act(Slot slot, Managed after, Brain.Step step, Now now) {
        StateChange change = change(slot, after, step.entries(), now.wall());
        List<Effect> outside = step.effects().stream().filter(Effect::isOutside).toList();
        if (!StoreWriter.isEmpty(change) || !outside.isEmpty()) {
            // Even a change of nothing has its place in the queue: what it waits for may still be on its way to the
            // disk.
            writer.write(change, () -> outside.forEach(effect -> run(slot, after, effect)));
        }
        step.effects().stream().filter(effect -> !effect.isOutside()).forEach(effect -> run(slot, after, effect));
    }

    private void run(Slot slot, Managed state, Effect effect) {
        if (closed) {
            return;
        }
        if (effect instanceof Effect.Finish) {
            finish(slot);
        } else {
            runner.run(effect, state, slot.keys(), message -> post(slot, message));
        }
    }

    /** What of a new state the store does not have yet. */
    private static StateChange change(Slot slot, Managed after, List<LedgerEntry> entries, Instant now) {
        var deployments = new ArrayList<DeploymentRecord>();
        if (slot.saved.isEmpty() || !Records.sameInStore(slot.saved.get(), after)) {
            deployments.add(Records.deployment(after, now));
        }
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
    private void show(Slot slot, Managed managed) {
        if (managed.isOver()) {
            return;
        }
        Route route = Routes.of(managed, slot.keys(), parts.routePolicy());
        if (!slot.route.equals(Optional.of(route))) {
            slot.route = Optional.of(route);
            gateway.put(route);
        }
    }

    private void remind(Slot slot, Managed managed, Now now) {
        slot.timer.ifPresent(timer -> timer.cancel(false));
        slot.timer = Optional.empty();
        if (!managed.isOver()) {
            long delay =
                    Math.max(1, Duration.between(now.steady(), managed.lookAt()).toNanos());
            try {
                slot.timer = Optional.of(parts.threads()
                        .scheduler()
                        .schedule(() -> post(slot, new Message.Tick()), delay, TimeUnit.NANOSECONDS));
            } catch (RejectedExecutionException e) {
                LOG.debug("No further tick, Tuna is closing");
            }
        }
    }

    /** The store has it that nothing is left: now the endpoint goes, and whoever waits is told. */
    private void finish(Slot slot) {
        Managed managed = slot.state();
        gateway.remove(managed.name());
        names.release(slot);
        var report = new DestroyReport(managed.name(), managed.ending().removed(), cost(slot));
        events.run(() -> {
            slot.ready().completeExceptionally(neverServed(managed));
            slot.destroyed().complete(report);
        });
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
        loop.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            names.all().forEach(slot -> slot.timer.ifPresent(timer -> timer.cancel(false)));
        } finally {
            loop.unlock();
        }
        Collection<Slot> slots = names.all();
        storeLast(slots);
        gateway.close();
        slots.forEach(Controller::warnOfCosts);
        var failure = new ConfigurationException(ErrorCode.CLOSED, "this Tuna was closed; the next start goes on");
        slots.forEach(slot -> {
            slot.ready().completeExceptionally(failure);
            slot.destroyed().completeExceptionally(failure);
        });
    }

    private void storeLast(Collection<Slot> slots) {
        try {
            writer.flush();
            Now now = now();
            for (Slot slot : slots) {
                Managed managed = slot.state();
                if (managed.isOver()) {
                    continue;
                }
                Accounts accounts = managed.accounts();
                var last = new Accounts.Stored(
                        Traffic.sum(accounts.before(), load(managed).traffic()), accounts.same());
                StateChange change = change(
                        slot,
                        managed.with(draft -> draft.accounts = accounts.withStored(last, now.steady())),
                        List.of(),
                        now.wall());
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
