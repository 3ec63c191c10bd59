package dev.tuna.core.machine;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.api.TunaException;
import dev.tuna.core.catalog.Price;
import dev.tuna.core.control.Controller;
import dev.tuna.core.control.Custody;
import dev.tuna.core.control.Handover;
import dev.tuna.core.control.Treasury;
import dev.tuna.core.remote.RemoteControlPlane;
import dev.tuna.spi.FoundRouterVm;
import dev.tuna.spi.ResourceRecord.State;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterCloud;
import dev.tuna.spi.RouterVmObservation;
import dev.tuna.spi.SecretStore;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateStore;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after one machine at a time: has it launched, connects to it, has handed over what is to go there, and removes it
 * when nobody lives there. Every step may be repeated, and is in the store before it is taken.
 */
final class Caretaker {

    private static final Logger LOG = LoggerFactory.getLogger(Caretaker.class);

    /** How old what machines know of each other's spending may be. */
    private static final Duration BETWEEN_TALKS = Duration.ofSeconds(15);

    private final StateStore store;
    private final SecretStore secrets;
    private final Controller controller;
    private final Handover handover;
    private final InstantSource clock;
    private final VmPlanner planner;
    private final Roster roster;
    private final Exchange exchange;
    private final Optional<List<Price>> prices;
    private final Strays strays;

    Caretaker(
            StateStore store,
            SecretStore secrets,
            Controller controller,
            InstantSource clock,
            VmPlanner planner,
            Roster roster,
            Exchange exchange,
            Optional<List<Price>> prices,
            Strays strays) {
        this.store = store;
        this.secrets = secrets;
        this.controller = controller;
        this.handover = controller.handover();
        this.clock = clock;
        this.planner = planner;
        this.roster = roster;
        this.exchange = exchange;
        this.prices = prices;
        this.strays = strays;
    }

    /** Takes a step; what fails is told as the machine's problem, and tried again with the next look. */
    void look(RouterVm vm) {
        try {
            step(vm);
        } catch (TunaException e) {
            String problem = String.valueOf(e.getMessage());
            if (!vm.problem().equals(problem)) {
                LOG.info("router VM '{}': {}", vm.name(), problem);
            }
            vm.failed(problem, !e.retryable());
        } catch (RuntimeException e) {
            vm.failed(e.toString(), false);
            LOG.warn("router VM '{}' could not be looked after", vm.name(), e);
        }
    }

    private void step(RouterVm vm) {
        if (isWantedNoMore(vm)) {
            roster.unlessWanted(vm, () -> end(vm));
        }
        if (!vm.isDue()) {
            return;
        }
        if (vm.record().state() == State.ENDING) {
            remove(vm);
            return;
        }
        if (vm.record().resource().isEmpty()) {
            launch(vm);
        }
        RouterVmObservation seen = observe(vm);
        vm.see(seen, event -> relay(vm, event));
        if (seen.phase() == BackendPhase.GONE) {
            lost(vm);
            return;
        }
        if (vm.isReady()) {
            RemoteControlPlane plane = vm.plane().orElseThrow();
            speakOfMoney(vm, plane);
            exchange.goOn(vm, plane);
            Set<String> ours = roster.on(vm.name()).map(Custody::service).collect(Collectors.toSet());
            Set<String> live =
                    plane.deployments().stream().map(Deployment::name).collect(Collectors.toSet());
            vm.residents().seen(live);
            exchange.collect(vm, plane, live);
            if (live.isEmpty() && !roster.isWanted(vm) && Vacancy.of(plane)) {
                roster.unlessWanted(vm, () -> end(vm));
            }
            live.removeAll(ours);
            house(vm, live);
        } else if (roster.on(vm.name()).findAny().isEmpty()
                && !roster.wasUsed(vm)
                && vm.guests().names().isEmpty()) {
            roster.unlessWanted(vm, () -> end(vm));
        }
    }

    /** Whoever it was to be made for may have gone while it could not be had. */
    private boolean isWantedNoMore(RouterVm vm) {
        return vm.record().state() == State.INTENDED && !roster.isWanted(vm);
    }

    private void relay(RouterVm vm, DeploymentEvent event) {
        if (event.kind() == DeploymentEvent.Kind.DESTROYING) {
            vm.residents().ends(event.deployment());
        }
        controller.relay(event);
    }

    private RouterVmObservation observe(RouterVm vm) {
        return planner.cloud(vm.record().provider())
                .observe(vm.record().resource().orElseThrow(), vm.name());
    }

    private void launch(RouterVm vm) {
        VmRecord record = vm.record();
        secrets.put(RouterCloud.environment(vm.name()), planner.environment(record));
        ResourceRef made = planner.cloud(record.provider()).launch(record.plan());
        become(vm, asked -> asked.launched(made));
    }

    private void become(RouterVm vm, UnaryOperator<VmRecord> change) {
        vm.become(record -> {
            VmRecord next = change.apply(record);
            store.save(StateChange.of(next.record(clock.instant())));
            return next;
        });
    }

    /** On disk, since nobody but the machine knows of them, and it may fall silent. */
    private void house(RouterVm vm, Set<String> guests) {
        if (!vm.record().guests().equals(guests)) {
            become(vm, record -> record.housing(guests));
        }
        vm.housed();
    }

    /** Before anything is handed over, when there is news, and now and then: what may be spent, and what was. */
    private void speakOfMoney(RouterVm vm, RemoteControlPlane plane) {
        Treasury treasury = controller.treasury();
        var news =
                new RouterVm.News(treasury.limits(), roster.on(vm.name()).collect(Collectors.toSet()), vm.usdPerHour());
        Optional<Duration> passed = vm.sinceToldOf(news);
        if (passed.filter(age -> age.compareTo(BETWEEN_TALKS) < 0).isPresent()) {
            return;
        }
        try {
            treasury.hear(vm.name(), plane.allow(treasury.allowance(vm.name(), prices, news.rent())));
        } catch (StoreException e) {
            if (e.code() != ErrorCode.STORE_TOO_NEW) {
                throw e;
            }
            if (passed.isEmpty()) {
                LOG.warn(
                        "router VM '{}' knows neither the budget of all deployments nor prices of your own: {}",
                        vm.name(),
                        e.getMessage());
            }
        }
        vm.toldOf(news);
    }

    /** Nobody else can act any more, so this controller does; what was made there meanwhile is found by its tags. */
    private void lost(RouterVm vm) {
        roster.unsettled(vm).toList().forEach(this::rescue);
        Set<String> guests = vm.record().guests();
        if (!guests.isEmpty() && vm.record().state() != State.ENDING) {
            LOG.warn(
                    "router VM '{}' is gone with {}, which others had deployed there; what is left of them is shown as orphans",
                    vm.name(),
                    guests);
        }
        become(vm, record -> record.in(State.ENDING));
        remove(vm);
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
        boolean sawItLive = roster.named(custody.with())
                .filter(vm -> vm.residents().hadLiving(name))
                .isPresent();
        if (custody.state() == Custody.State.AWAY && !left.anything() && !sawItLive) {
            LOG.warn("nothing of {} runs any more: it is taken for destroyed on its router VM", name);
            controller.find(name).ifPresent(deployment -> {
                var unused = deployment.destroy();
            });
        }
    }

    /** Has it removed, with the looks that follow. */
    void end(RouterVm vm) {
        become(vm, record -> record.in(State.ENDING));
    }

    private void remove(RouterVm vm) {
        RouterCloud cloud = planner.cloud(vm.record().provider());
        Optional<ResourceRef> machine = vm.record().resource();
        if (machine.isEmpty()) {
            machine = unanswered(vm, cloud);
            machine.ifPresent(found -> become(vm, asked -> asked.launched(found).in(State.ENDING)));
        }
        if (machine.isPresent()) {
            RouterVmObservation seen = observe(vm);
            if (seen.phase() != BackendPhase.GONE) {
                cloud.terminate(machine.get());
                return;
            }
            if (roster.unsettled(vm).findAny().isPresent()) {
                lost(vm);
                return;
            }
        }
        // What was made beside it was made before it, and so also for one that could never be had.
        ResourceRef gone = machine.orElseGet(() -> vm.record().unlaunched());
        cloud.cleanUp(new FoundRouterVm(gone, vm.name(), store.ownerId()));
        secrets.remove(RouterCloud.environment(vm.name()));
        vm.close();
        controller.treasury().forget(vm.name());
        store.save(StateChange.of(vm.record().in(State.GONE).record(clock.instant())));
        roster.remove(vm);
    }

    /** What came of a launch whose answer never came. */
    private Optional<ResourceRef> unanswered(RouterVm vm, RouterCloud cloud) {
        return cloud.find().stream()
                .filter(found ->
                        found.name().equals(vm.name()) && found.ownerId().equals(store.ownerId()))
                .map(FoundRouterVm::resource)
                .findFirst();
    }
}
