package dev.tuna.testkit.time;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Moves time in threads of its own, so that a task may hang: its thread stays in the task, and another one goes on moving
 * time in its stead. All but one of the threads wait at any moment, so the order of everything is the same in every run.
 */
final class Stage {

    // Both are for the one whose turn it is; turns are passed on by volatile writes.
    private final List<Actor> hanging = new ArrayList<>();
    private @Nullable Actor on;

    /** Runs a loop that ends early, with whatever result, when {@link #isOver()}. */
    boolean run(BooleanSupplier loop) {
        var caller = new Actor(Thread.currentThread());
        var act = new Act(loop, caller);
        follow(act);
        caller.awaitTurn();
        on = null;
        return act.outcome();
    }

    /** Whether the thread that asks has finished a task in which it had hung: others go on moving time. */
    boolean isOver() {
        Actor me = on;
        return me != null && me.resumer != null;
    }

    /** Holds up the task that calls it until its thread is interrupted or {@link #end} ends it. */
    void hang() {
        Actor me = on;
        if (me == null || me.thread != Thread.currentThread()) {
            throw new IllegalStateException("only a task can hang, while time is being moved");
        }
        hanging.add(me);
        Actor resumer = me.resumer;
        me.resumer = null;
        if (resumer == null) {
            follow(me.act());
        } else {
            pass(resumer);
        }
        me.awaitTurn();
        var unused = Thread.interrupted();
    }

    /** Lets those go on whose threads have been interrupted; each in turn to the end of its task, or until it hangs again. */
    void resumeInterrupted() {
        if (!hanging.isEmpty()) {
            hanging.stream()
                    .filter(each -> each.thread.isInterrupted())
                    .toList()
                    .forEach(this::resume);
        }
    }

    /** Lets all go on that hang now. */
    void end() {
        List.copyOf(hanging).forEach(this::resume);
    }

    private void resume(Actor hung) {
        if (!hanging.remove(hung)) {
            return; // it came back while another one had its turn
        }
        Actor before = on;
        Actor me = before == null ? new Actor(Thread.currentThread()) : before;
        hung.resumer = me;
        pass(hung);
        me.awaitTurn();
        on = before;
        me.rethrow();
    }

    private void pass(Actor next) {
        on = next;
        next.turn = true;
        LockSupport.unpark(next.thread);
    }

    private void follow(Act act) {
        var next = new Actor(act, this);
        on = next;
        next.thread.start();
    }

    private void play(Actor me) {
        boolean result = false;
        Throwable failure = null;
        try {
            result = me.act().loop.getAsBoolean();
        } catch (RuntimeException | Error e) {
            failure = e;
        }
        Actor resumer = me.resumer;
        if (resumer == null) {
            me.act().result = result;
            resumer = me.act().caller;
        }
        resumer.failure = failure;
        pass(resumer);
    }

    /** One movement of time. */
    private static final class Act {
        private final BooleanSupplier loop;
        private final Actor caller;
        private boolean result;

        Act(BooleanSupplier loop, Actor caller) {
            this.loop = loop;
            this.caller = caller;
        }

        boolean outcome() {
            caller.rethrow();
            return result;
        }
    }

    /** A thread that takes turns with others. */
    private static final class Actor {
        private final Thread thread;
        private final @Nullable Act act;
        /** Who has let it go on after it hung, and waits for it. */
        private @Nullable Actor resumer;
        /** What those have thrown that it has waited for. */
        private @Nullable Throwable failure;

        private volatile boolean turn;

        /** One that is there already. */
        Actor(Thread thread) {
            this.thread = thread;
            this.act = null;
        }

        /** One that moves time. */
        Actor(Act act, Stage stage) {
            this.act = act;
            thread = new Thread(() -> stage.play(this), "virtual-time");
            thread.setDaemon(true);
        }

        Act act() {
            if (act == null) {
                throw new IllegalStateException("it does not move time");
            }
            return act;
        }

        /** An interrupt does not end the wait: it is found by {@link Stage#resumeInterrupted}. */
        void awaitTurn() {
            while (!turn) {
                LockSupport.park(this);
            }
            turn = false;
        }

        void rethrow() {
            Throwable thrown = failure;
            failure = null;
            if (thrown instanceof RuntimeException e) {
                throw e;
            }
            if (thrown instanceof Error e) {
                throw e;
            }
        }
    }
}
