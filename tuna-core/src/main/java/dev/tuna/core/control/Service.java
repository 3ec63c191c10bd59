package dev.tuna.core.control;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.Deployment;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.RollReport;
import dev.tuna.core.budget.RateMemory;
import dev.tuna.router.Route;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A live deployment under its name: the revision that serves, the one that is to follow it, and those that are being
 * removed. Written by the control loop alone; may be read by anybody.
 */
final class Service {

    private final String name;
    private final CompletableFuture<Deployment> ready = new CompletableFuture<>();
    private final CompletableFuture<DestroyReport> destroyed = new CompletableFuture<>();
    private volatile CompletableFuture<RollReport> rolled;
    private volatile Lineup lineup;
    private final Calls calls = new Calls();

    // The control loop's own notes:
    Optional<Route> route = Optional.empty();
    boolean toldReady;

    /** Asked for while it was held: nothing that anybody waits for is forgotten. */
    boolean endAsked;

    // Written by the control loop alone; may be read by anybody:
    volatile boolean held;
    volatile RateMemory rate = RateMemory.NONE;

    /**
     * Who is there, swapped whole.
     *
     * @param past what revisions that are over have cost in this process; the current one has what came before it
     */
    record Lineup(Slot current, Optional<Slot> successor, List<Slot> former, Tally past) {

        Lineup {
            former = List.copyOf(former);
        }

        List<Slot> all() {
            var all = new ArrayList<Slot>();
            all.add(current);
            successor.ifPresent(all::add);
            all.addAll(former);
            return all;
        }

        /** Revisions that are not over, beside the current one. */
        List<Managed> others() {
            return all().stream().skip(1).map(Slot::state).toList();
        }
    }

    Service(Slot current, Optional<Slot> successor, List<Slot> former) {
        this.name = current.state().name();
        this.lineup = new Lineup(current, successor, former, Tally.EMPTY);
        this.rolled = successor.isPresent() ? new CompletableFuture<>() : unchanged();
        markCompany();
    }

    private CompletableFuture<RollReport> unchanged() {
        return CompletableFuture.completedFuture(
                new RollReport(name, RollReport.Outcome.UNCHANGED, "there is nothing to change"));
    }

    String name() {
        return name;
    }

    /** What is under way outside for it. */
    Calls calls() {
        return calls;
    }

    /** What belongs together is read from one of these. */
    Lineup lineup() {
        return lineup;
    }

    Slot current() {
        return lineup.current();
    }

    Optional<Slot> successor() {
        return lineup.successor();
    }

    List<Slot> former() {
        return lineup.former();
    }

    /** Every revision that is not over, the current one first. */
    List<Slot> slots() {
        return lineup.all();
    }

    /** The revision that a backend belongs to. */
    Optional<Slot> owner(String backend) {
        return slots().stream()
                .filter(slot -> slot.state().backends().containsKey(backend))
                .findFirst();
    }

    int nextNumber() {
        return slots().stream()
                        .mapToInt(slot -> slot.state().revision().numbers())
                        .max()
                        .orElseThrow()
                + 1;
    }

    void begin(Slot successor) {
        int number = successor.state().revision().number();
        current().swap(current().state().with(draft -> draft.revision = draft.revision.knowing(number)));
        lineup = new Lineup(current(), Optional.of(successor), former(), lineup.past());
        rolled = new CompletableFuture<>();
        markCompany();
    }

    void takeOver() {
        Lineup before = lineup;
        var leaving = new ArrayList<>(before.former());
        leaving.add(before.current());
        lineup = new Lineup(before.successor().orElseThrow(), Optional.empty(), leaving, before.past());
        markCompany();
    }

    void abandon() {
        Lineup before = lineup;
        var leaving = new ArrayList<>(before.former());
        before.successor().ifPresent(leaving::add);
        lineup = new Lineup(before.current(), Optional.empty(), leaving, before.past());
        markCompany();
    }

    void left(Slot former) {
        Lineup before = lineup;
        var leaving = new ArrayList<>(before.former());
        leaving.remove(former);
        Tally past = before.past().plus(former.state().accounts().tally());
        lineup = new Lineup(before.current(), before.successor(), leaving, past);
        markCompany();
    }

    private void markCompany() {
        boolean company = slots().size() > 1;
        Managed state = current().state();
        if (state.revision().accompanied() != company) {
            current().swap(state.with(draft -> draft.revision = draft.revision.accompanied(company)));
        }
    }

    CompletableFuture<Deployment> ready() {
        return ready;
    }

    CompletableFuture<DestroyReport> destroyed() {
        return destroyed;
    }

    CompletableFuture<RollReport> rolled() {
        return rolled;
    }

    /** Tells whoever waits that nothing more is heard of it here. */
    void fail(ConfigurationException why) {
        ready.completeExceptionally(why);
        rolled.completeExceptionally(why);
        destroyed.completeExceptionally(why);
    }

    /** A change in place begins. */
    CompletableFuture<RollReport> changing() {
        rolled = new CompletableFuture<>();
        return rolled;
    }

    void nothingToChange() {
        rolled = unchanged();
    }
}
