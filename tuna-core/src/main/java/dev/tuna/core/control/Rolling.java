package dev.tuna.core.control;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.RollReport;
import dev.tuna.router.RouteLoad;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** Brings a changed deployment up beside what serves of it, and lets it take over or gives it up. Thread-safe. */
record Rolling(
        ControlLoop loop,
        Intake intake,
        Names names,
        Keyring keyring,
        StoreWriter writer,
        EventBus events,
        Times times,
        ControlTimings timings) {

    /** The topic of what became of the last change. */
    private static final String ROLL = "roll";

    /**
     * Changes a live deployment to another request. What only the control loop looks at holds at once; anything else is
     * brought up beside what serves, and takes over when it serves too. When this returns the successor is on disk.
     *
     * @param request complete: with the name of a live deployment, and a GPU and providers that exist
     * @param cloud who rents its replicas; empty for none
     * @return the same deployment; {@link Service#rolled()} tells how the change ends
     * @throws ConfigurationException {@code NO_SUCH_DEPLOYMENT}, or {@code NAME_TAKEN} if another one serves the model
     * @throws dev.tuna.api.StoreException if it cannot be stored; nothing has changed then
     */
    Service redeploy(DeployRequest request, Optional<String> cloud) {
        loop.requireOpen();
        return names.alone(() -> {
            Service service = names.find(request.serviceName().orElseThrow())
                    .orElseThrow(() -> Names.notLive(request.serviceName().orElseThrow(), "is not live; deploy it"));
            loop.inLoop(() -> adjust(service, request, cloud)).ifPresent(next -> roll(service, withKeys(next)));
            return service;
        });
    }

    /** Does what can be done in place; what cannot comes back as a successor that nobody knows yet. */
    private Optional<Managed> adjust(Service service, DeployRequest request, Optional<String> cloud) {
        Slot current = service.current();
        if (service.held) {
            throw new ConfigurationException(
                    ErrorCode.NAME_TAKEN,
                    "deployment '" + service.name() + "' is being handed over; change it when that is done");
        }
        if (current.state().goal() != Goal.SERVE) {
            throw tearingDown(service);
        }
        current.swap(current.state().withoutProblem(ROLL));
        List<Slot> meant =
                Stream.concat(Stream.of(current), service.successor().stream()).toList();
        if (meant.stream().anyMatch(slot -> differsInBudget(slot.state().request(), request))) {
            meant.forEach(slot -> inPlace(
                    service,
                    slot,
                    slot.state().request().toBuilder().budget(request.budget()).build(),
                    slot.state().fleet().cloud()));
            return Optional.empty();
        }
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

    /** A budget is the deployment's, whichever revision it was read from. */
    private static boolean differsInBudget(DeployRequest from, DeployRequest to) {
        return !from.budget().equals(to.budget())
                && from.toBuilder().budget(to.budget()).build().equals(to);
    }

    private static ConfigurationException tearingDown(Service service) {
        return Names.notLive(service.name(), "is being torn down; deploy it again when that is done");
    }

    private void inPlace(Service service, Slot aim, DeployRequest request, Optional<String> cloud) {
        boolean differs = Rolls.between(aim.state().request(), request) == Rolls.Change.NUMBERS;
        boolean rolling = service.successor().isPresent();
        if (differs) {
            loop.take(service, aim, new Message.Adjusted(request, cloud));
            loop.weigh(service);
            loop.tell(aim.state(), DeploymentEvent.Kind.ACCEPTED, "scaling changed in place");
        }
        if (!rolling && differs) {
            CompletableFuture<RollReport> rolled = service.changing();
            String detail = "replicas are scaled by the new numbers from now on";
            writer.whenStored(() -> tell(service, rolled, RollReport.Outcome.ADJUSTED, detail));
        } else if (!rolling) {
            service.nothingToChange();
        }
    }

    private Managed successor(Service service, DeployRequest request, Optional<String> cloud) {
        Now now = times.now();
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
            intake.keep(successor, times.now());
        } catch (RuntimeException e) {
            names.settle(service);
            throw e;
        }
        if (!loop.inLoop(() -> begin(service, successor))) {
            intake.withdraw(successor, times.now());
            keyring.forget(successor.state().id(), successor.state().revision());
            throw tearingDown(service);
        }
        loop.post(service, successor, new Message.Tick());
    }

    private boolean begin(Service service, Slot successor) {
        if (service.current().state().goal() != Goal.SERVE) {
            return false;
        }
        service.successor().ifPresent(older -> abandon(service, older, "another change was asked for"));
        service.begin(successor);
        loop.tell(
                successor.state(),
                DeploymentEvent.Kind.ROLL_STARTED,
                "revision " + successor.state().revision().number() + " is brought up beside revision "
                        + service.current().state().revision().number() + ", which goes on");
        return true;
    }

    /** Lets a successor take over, or gives it up, when the time has come. */
    void judge(Service service) {
        service.successor().ifPresent(successor -> {
            Managed current = service.current().state();
            Managed next = successor.state();
            switch (Rolls.judge(current, next, times.now().steady(), timings)) {
                case WAIT -> {}
                case TAKE_OVER -> takeOver(service, successor);
                case ABANDON -> fail(service, successor, Rolls.reason(current, next, timings));
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
        Now now = times.now();
        Slot former = service.current();
        RouteLoad load = loop.load(former.state());
        successor.swap(successor.state().with(draft -> {
            draft.revision = draft.revision.as(Revision.Role.CURRENT);
            draft.accounts = draft.accounts.following(former.state().accounts(), load.traffic(), now.steady());
        }));
        former.swap(former.state().with(draft -> draft.revision = draft.revision.as(Revision.Role.FORMER)));
        service.takeOver();
        names.settle(service);
        loop.show(service);
        loop.showThoseWhoWaited();
        String detail = "revision " + successor.state().revision().number()
                + " takes all new requests; revision "
                + former.state().revision().number() + " finishes what it has and is removed";
        CompletableFuture<RollReport> rolled = service.rolled();
        storeBoth(successor, former, now, () -> {
            loop.tell(successor.state(), DeploymentEvent.Kind.ROLLED, detail);
            tell(service, rolled, RollReport.Outcome.ROLLED, detail);
        });
        if (!former.state().served()) {
            loop.tell(successor.state(), DeploymentEvent.Kind.READY, "serves");
        }
        loop.tellIfServing(service, successor.state());
        loop.take(service, former, new Message.DestroyAsked());
    }

    private void abandon(Service service, Slot successor, String reason) {
        Now now = times.now();
        successor.swap(successor.state().with(draft -> draft.revision = draft.revision.as(Revision.Role.FORMER)));
        service.abandon();
        names.settle(service);
        String detail = "revision " + successor.state().revision().number() + " is given up: " + reason;
        CompletableFuture<RollReport> rolled = service.rolled();
        storeBoth(successor, service.current(), now, () -> tell(service, rolled, RollReport.Outcome.ABANDONED, detail));
        loop.tell(successor.state(), DeploymentEvent.Kind.ROLL_ABANDONED, detail);
        loop.take(service, successor, new Message.DestroyAsked());
    }

    /** Two revisions change together or not at all. */
    private void storeBoth(Slot one, Slot other, Now now, Runnable after) {
        writer.write(
                StoreWriter.together(List.of(one.unsaved(List.of(), now.wall()), other.unsaved(List.of(), now.wall()))),
                after);
    }

    private void tell(
            Service service, CompletableFuture<RollReport> rolled, RollReport.Outcome outcome, String detail) {
        events.run(() -> rolled.complete(new RollReport(service.name(), outcome, detail)));
    }
}
