package dev.tuna.core.control;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.TimedOutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How this controller begins to look after a deployment that others had, and ends to. Thread-safe; blocks. */
record Tenure(
        ControlLoop loop,
        Names names,
        Recovery recovery,
        Custodies custodies,
        Spending spending,
        Archive archive,
        StoreWriter writer,
        EventBus events,
        Times times,
        ControlTimings timings) {

    private static final Logger LOG = LoggerFactory.getLogger(Tenure.class);

    /** How many calls in a row may be waited for before a handover: one that is under way, and one that it lets begin. */
    private static final int HOLD_LIMIT = 2;

    private static final long HOLD_SECONDS = 60;

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
            if (!service.calls().stop(timings.callLimit().multipliedBy(HOLD_LIMIT))) {
                throw new TimedOutException("deployment '" + name + "' cannot be handed over: a call to one of its"
                        + " providers does not come back; try again");
            }
            awaitAnswers();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TimedOutException("interrupted while deployment '" + name + "' was to be handed over");
        } catch (ExecutionException | TimeoutException e) {
            throw new TimedOutException("deployment '" + name + "' cannot be handed over: its control loop is stuck");
        }
    }

    /** What calls that are over have answered is in the mailbox: until it has been taken. */
    private void awaitAnswers() throws InterruptedException, ExecutionException, TimeoutException {
        CompletableFuture.runAsync(() -> {}, loop.mailbox()).get(HOLD_SECONDS, TimeUnit.SECONDS);
    }

    private void stopLoop(Service service) {
        loop.hold(service);
        Now now = times.now();
        service.slots().forEach(slot -> writer.write(loop.last(slot, now), () -> {}));
    }

    /** What is on its way to the disk already, of this deployment and of others. */
    private void awaitStored(String name) {
        var stored = new CompletableFuture<Void>();
        writer.whenStored(() -> stored.complete(null));
        try {
            stored.get(HOLD_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TimedOutException("interrupted while '" + name + "' was to be handed over");
        } catch (ExecutionException | TimeoutException e) {
            throw new TimedOutException("deployment '" + name + "' cannot be handed over: the store cannot be written");
        }
    }

    /** The opposite of {@link #hold}, which may have failed on its way. */
    void goOn(String name) {
        names.find(name).ifPresent(service -> {
            service.calls().goOn();
            loop.goOn(service);
        });
    }

    /** Whether it is looked after here, and not to be gone. */
    boolean serves(String name) {
        return names.find(name)
                .filter(service -> service.current().state().goal() == Goal.SERVE)
                .isPresent();
    }

    void warn(String name, String message) {
        LOG.warn("{} {}", name, message);
        names.find(name)
                .ifPresent(service -> loop.tell(service.current().state(), DeploymentEvent.Kind.WARNING, message));
    }

    /** Forgets a deployment that another controller has by now. */
    void letGo(String name) {
        names.find(name).ifPresent(service -> {
            loop.tell(
                    service.current().state(),
                    DeploymentEvent.Kind.WARNING,
                    "handed over; no longer looked after here");
            loop.gateway().remove(name);
            names.release(service);
            loop.showThoseWhoWaited();
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
        loop.payRent();
        Optional<Service> before = names.find(name);
        List<Service> services = recovery.one(name); // in its place: whoever asks for it finds one at any time
        services.forEach(names::settle);
        before.ifPresent(held -> {
            names.release(held);
            end(held, "deployment '" + name + "' is looked after here again; ask for it anew");
        });
        List<Stray> left = strays.isEmpty() ? strays : join(name, strays);
        services.forEach(loop::adopt);
        if (services.isEmpty() && spending.countsAll()) {
            spending.rememberThisMonth(archive); // it came to be over elsewhere
        }
        return left;
    }

    /** Nobody takes its name or its model while it is stored. */
    void takeIn(String name, Set<String> models, Runnable store) {
        var unused = names.alone(() -> {
            requireFree(name, models);
            names.open();
            store.run();
            return takeUp(name, List.of());
        });
    }

    /** Whether nobody is looked after here; then nobody is taken in any more but who is handed over. */
    boolean vacate() {
        return names.closeIfEmpty();
    }

    /** Before anything of it is stored. */
    private void requireFree(String name, Set<String> models) {
        loop.requireOpen();
        names.requireFree(name, models, custodies.isElsewhere(name));
    }

    /**
     * Makes all that runs of a deployment and fits part of it, in one step.
     *
     * @return what does not fit
     */
    List<Stray> join(String name, List<Stray> strays) {
        return loop.inLoop(() -> {
            var left = new ArrayList<>(strays);
            names.find(name).ifPresent(service -> {
                Slot slot = service.current();
                List<Stray> fitting = strays.stream()
                        .filter(stray -> Adoption.misfit(slot.state(), stray).isEmpty())
                        .toList();
                left.removeAll(fitting);
                loop.take(service, slot, new Message.Joined(fitting));
            });
            return left;
        });
    }

    /**
     * Ends the control of all deployments between two steps, as far as calls come back: of one that does not the next process
     * knows what it knows after a crash.
     */
    void holdAll() {
        long end =
                System.nanoTime() + timings.callLimit().multipliedBy(HOLD_LIMIT).toNanos();
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
    }
}
