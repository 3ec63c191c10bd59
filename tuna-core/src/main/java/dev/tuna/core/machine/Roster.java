package dev.tuna.core.machine;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.core.control.Custody;
import dev.tuna.core.control.Handover;
import dev.tuna.core.remote.RemoteControlPlane;
import dev.tuna.spi.ResourceRecord.State;
import java.net.URI;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The machines that this process knows, and which deployment is on which. Asks nobody. Thread-safe.
 */
final class Roster {

    private final Handover handover;
    private final Map<String, RouterVm> vms = new ConcurrentHashMap<>();
    private final ReentrantLock lock = new ReentrantLock(); // who comes to a machine and whether it ends

    Roster(Handover handover) {
        this.handover = handover;
    }

    // Machines

    void add(RouterVm vm) {
        vms.put(vm.name(), vm);
    }

    void remove(RouterVm vm) {
        vms.remove(vm.name());
    }

    boolean has(RouterVm vm) {
        return vms.containsValue(vm);
    }

    Optional<RouterVm> named(String vm) {
        return Optional.ofNullable(vms.get(vm));
    }

    Collection<RouterVm> all() {
        return List.copyOf(vms.values());
    }

    Stream<RouterVm> stored() {
        return vms.values().stream().filter(RouterVm::isStored);
    }

    /** The machine for something that is to come, which does not end until that has; a planned one, if there is none. */
    RouterVm expect(String name, Supplier<VmRecord> plan) {
        Optional<VmRecord> fresh = vms.containsKey(name) ? Optional.empty() : Optional.of(plan.get());
        lock.lock();
        try {
            RouterVm vm = vms.computeIfAbsent(name, absent -> new RouterVm(fresh.orElseGet(plan)));
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

    /** What was to come has, or does not. */
    void expectNoMore(RouterVm vm) {
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

    /** Whether something from here lives there, or is about to. */
    boolean isWanted(RouterVm vm) {
        lock.lock();
        try {
            return vm.expected > 0 || on(vm.name()).findAny().isPresent();
        } finally {
            lock.unlock();
        }
    }

    /** Does something to a machine that nothing from here lives on; nobody gives anything there meanwhile. */
    void unlessWanted(RouterVm vm, Runnable work) {
        lock.lock();
        try {
            if (!isWanted(vm)) {
                work.run();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Whether others may have deployments there: whoever made it and never handed anything over knows that nobody has. */
    boolean wasUsed(RouterVm vm) {
        return custodies().stream()
                .anyMatch(custody -> custody.with().equals(vm.name())
                        && (custody.offered() || custody.handover().endsWith(Exchange.BACK)));
    }

    // Deployments

    Collection<Custody> custodies() {
        return handover.custodies().values();
    }

    Optional<Custody> custody(String name) {
        return Optional.ofNullable(handover.custodies().get(name));
    }

    /** What is looked after there, on its way there, or to go there. */
    Stream<Custody> on(String vm) {
        return custodies().stream()
                .filter(custody -> (custody.isElsewhere() || custody.isBound())
                        && custody.with().equals(vm));
    }

    /** What nobody can act for once the machine is gone. */
    Stream<Custody> unsettled(RouterVm vm) {
        return custodies().stream()
                .filter(custody -> custody.isUnsettled() && custody.with().equals(vm.name()));
    }

    boolean isHere(String name) {
        return custody(name).filter(Custody::isElsewhere).isEmpty();
    }

    boolean isOnItsWay(String name) {
        return custody(name)
                .filter(custody -> custody.state() == Custody.State.LEAVING)
                .isPresent();
    }

    /** Whether a handover is not over. */
    boolean isUnderWay(String name, String handover) {
        return custody(name)
                .filter(custody -> custody.isOnItsWay() && custody.handover().equals(handover))
                .isPresent();
    }

    /** The machine that it is on, or on its way to. */
    Optional<RouterVm> vmOf(String name) {
        return custody(name).filter(Custody::isElsewhere).flatMap(custody -> named(custody.with()));
    }

    RouterVm vm(String name) {
        return vmOf(name).orElseThrow(() -> notThere(name));
    }

    // What handles ask

    Optional<RemoteControlPlane> plane(String name) {
        return vmOf(name).filter(RouterVm::isReady).flatMap(RouterVm::plane);
    }

    /** That of the machine, once the deployment is looked after there. */
    Optional<RemoteControlPlane> arrived(String name) {
        return isOnItsWay(name) ? Optional.empty() : plane(name);
    }

    /** Whether it is known who looks after it, or that its machine cannot be had. */
    boolean isSettled(String name) {
        return arrived(name).isPresent() || isHere(name) || hasFailed(name);
    }

    boolean hasFailed(String name) {
        return vmOf(name).filter(vm -> vm.phase() == BackendPhase.FAILED).isPresent();
    }

    /** The base URL for clients, once the machine has an address. */
    Optional<URI> endpoint(String name) {
        return vmOf(name).flatMap(RouterVm::endpoint).map(address -> URI.create(address + "/v1"));
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

    static ConfigurationException notThere(String name) {
        return new ConfigurationException(
                ErrorCode.NO_SUCH_DEPLOYMENT, "deployment '" + name + "' is on no router VM (any more)");
    }
}
