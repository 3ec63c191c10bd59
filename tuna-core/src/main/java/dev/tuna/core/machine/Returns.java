package dev.tuna.core.machine;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.Deployment;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.TimedOutException;
import dev.tuna.api.TunaException;
import dev.tuna.core.control.Controller;
import dev.tuna.core.control.Custody;
import dev.tuna.core.control.Handover;
import dev.tuna.core.remote.RemoteControlPlane;
import dev.tuna.spi.ResourceRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gets deployments back from their machines, to go on here or to be destroyed. Blocks. Thread-safe. */
final class Returns {

    private static final Logger LOG = LoggerFactory.getLogger(Returns.class);

    /** How long a machine that does not answer is waited for before what is to be destroyed is destroyed without it. */
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    /** How long a cloud may take to confirm that a machine is gone before whoever destroys is told that it has not. */
    private static final Duration CLOUDS_PATIENCE = Duration.ofMinutes(5);

    /** What a machine that is lost, or reboots, is seen by. */
    static final Set<ErrorCode> LOST =
            Set.of(ErrorCode.CLOSED, ErrorCode.TIMEOUT, ErrorCode.UNREACHABLE, ErrorCode.NO_SUCH_DEPLOYMENT);

    private final Controller controller;
    private final Handover handover;
    private final Roster roster;
    private final Exchange exchange;
    private final Caretaker caretaker;
    private final Waits waits;

    /** What is to be destroyed, and need not keep a machine that does not answer. */
    private final Set<String> unwanted = ConcurrentHashMap.newKeySet();

    Returns(Controller controller, Roster roster, Exchange exchange, Caretaker caretaker, Waits waits) {
        this.controller = controller;
        this.handover = controller.handover();
        this.roster = roster;
        this.exchange = exchange;
        this.caretaker = caretaker;
        this.waits = waits;
    }

    /** Until it is looked after here. */
    Deployment takeBack(String name) {
        RouterVm vm = roster.vm(name);
        if (!handover.callBack(name)) {
            untilHere(name, vm, plane -> exchange.fetch(name));
            if (!roster.isHere(name)) {
                throw new TimedOutException("router VM '" + vm.name() + "' does not answer, so '" + name
                        + "' cannot be taken back now; destroy it, or try again");
            }
        }
        return controller.find(name).orElseThrow(() -> Roster.notThere(name));
    }

    /** Until all of it is gone, and its machine, if it was the last one there. */
    DestroyReport destroy(String name) {
        RouterVm vm = roster.vm(name);
        unwanted.add(name);
        if (!handover.callBack(name)) {
            untilHere(name, vm, plane -> destroyThere(name, plane));
        }
        if (!roster.isHere(name)) {
            endWithout(name, vm);
        }
        unwanted.remove(name);
        DestroyReport report = controller
                .find(name)
                .map(deployment -> deployment.destroy().join())
                .orElseGet(() -> new DestroyReport(
                        name,
                        List.of(),
                        controller.archive().ended(name).orElseThrow().cost()));
        return awaitEnd(vm, report);
    }

    /** The machine does not answer, so it is ended first, unless others live there that are not to be destroyed. */
    private void endWithout(String name, RouterVm vm) {
        List<String> others = roster.on(vm.name())
                .filter(Custody::isElsewhere)
                .map(Custody::service)
                .filter(other -> !unwanted.contains(other))
                .toList();
        if (!others.isEmpty()) {
            throw new TimedOutException("router VM '" + vm.name() + "' does not answer, and others live on it: "
                    + others + "; destroy them together with '" + name + "', or try again when it answers");
        }
        Set<String> guests = vm.guests().names();
        if (!guests.isEmpty()) {
            throw new TimedOutException(
                    "router VM '" + vm.name() + "' does not answer, and others have deployed on it: "
                            + guests + "; try again when it answers, or, if they may all end, terminate "
                            + vm.record().resource().map(ResourceRef::toString).orElse("it") + " at its provider");
        }
        LOG.warn("router VM '{}' does not answer; it is ended, and {} is destroyed from here", vm.name(), name);
        caretaker.end(vm);
        if (!waits.awaitWithin(CLOUDS_PATIENCE, () -> roster.isHere(name), "router VM '" + vm.name() + "' to end")) {
            throw new TimedOutException("deployment '" + name + "' is not destroyed yet: its router VM does not"
                    + " answer, and its cloud has not confirmed within " + CLOUDS_PATIENCE.toMinutes()
                    + " min that it has ended: " + vm.problem() + "; destroy it again");
        }
    }

    /** Not for ever, and not at all if somebody lives there: then the report has no machine that was removed. */
    private DestroyReport awaitEnd(RouterVm vm, DestroyReport report) {
        // The look that is under way may have begun before the deployment was gone.
        long before = vm.guests().look() + 1;
        BooleanSupplier gone = () -> !roster.has(vm);
        BooleanSupplier inhabited = () -> roster.isWanted(vm)
                || (vm.guests().look() > before && !vm.guests().names().isEmpty());
        if (!waits.awaitWithin(
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
                    Stream.concat(roster.on(vm.name()).map(Custody::service), vm.guests().names().stream())
                            .toList());
            return report;
        }
        var removed = new ArrayList<>(report.removed());
        vm.record().resource().map(ResourceRef::toString).ifPresent(removed::add);
        return new DestroyReport(report.deployment(), removed, report.cost());
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
        exchange.fetch(name);
    }

    /** What takes long outlasts that the program of a machine ends and is started again: then it is asked again. */
    <T> T insist(Supplier<T> question) {
        while (true) {
            try {
                return question.get();
            } catch (CompletionException | TunaException e) {
                ErrorCode code = codeOf(e).orElseThrow(() -> e);
                if (!LOST.contains(code) || code == ErrorCode.NO_SUCH_DEPLOYMENT) {
                    throw e;
                }
                waits.pause();
            }
        }
    }

    private static Optional<ErrorCode> codeOf(RuntimeException e) {
        Throwable cause = e instanceof CompletionException ? e.getCause() : e;
        return cause instanceof TunaException known ? Optional.of(known.code()) : Optional.empty();
    }

    /** Connections break and machines reboot; it is tried until it is here, or nobody there has answered for long. */
    private void untilHere(String name, RouterVm vm, Consumer<RemoteControlPlane> work) {
        while (!roster.isHere(name) && vm.silence().compareTo(PATIENCE) < 0) {
            boolean known = waits.awaitWithin(
                    PATIENCE,
                    () -> roster.arrived(name).isPresent()
                            || roster.isHere(name)
                            || vm.silence().compareTo(PATIENCE) >= 0,
                    "router VM '" + vm.name() + "' to answer");
            if (!known && vm.isReady()) {
                throw new TimedOutException("deployment '" + name + "' is " + roster.whereItIs(name)
                        + ", which neither takes nor refuses it; see its log, and try again");
            }
            try {
                roster.arrived(name).ifPresent(work);
            } catch (CompletionException | TunaException e) {
                ErrorCode code = codeOf(e).orElseThrow(() -> e);
                if (!LOST.contains(code) && !roster.isHere(name)) {
                    throw e;
                }
                LOG.debug("router VM '{}' did not answer to the end: {}", vm.name(), e.getMessage());
                waits.pause();
            }
        }
    }
}
