package dev.tuna.router.proxy;

import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Looks at everything with a time limit every so often. One timer for all of an event loop's requests instead of several
 * per request: a request only writes down when something happened. Confined to its event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // the loop ends with its group; a sweep does not fail
final class Sweeper {

    /** Something with time limits; a member of at most one sweeper. */
    abstract static class Member {
        private int slot = -1;

        /**
         * Checks the limits. May remove itself and add others.
         *
         * @param now the time
         */
        abstract void sweep(long now);
    }

    private final EventLoop loop;
    private final LongSupplier clock;
    private final long periodMillis;
    private final List<Member> members = new ArrayList<>();
    private boolean scheduled;

    Sweeper(EventLoop loop, LongSupplier clock, long periodMillis) {
        this.loop = loop;
        this.clock = clock;
        this.periodMillis = periodMillis;
    }

    void add(Member member) {
        if (member.slot < 0) {
            member.slot = members.size();
            members.add(member);
            schedule();
        }
    }

    void remove(Member member) {
        int slot = member.slot;
        if (slot >= 0) {
            Member last = members.remove(members.size() - 1);
            if (last != member) {
                members.set(slot, last);
                last.slot = slot;
            }
            member.slot = -1;
        }
    }

    private void schedule() {
        if (!scheduled) {
            scheduled = true;
            loop.schedule(this::sweep, periodMillis, TimeUnit.MILLISECONDS);
        }
    }

    /** Backwards, so that a member that removes itself is replaced by one that was already looked at. */
    private void sweep() {
        scheduled = false;
        long now = clock.getAsLong();
        for (int i = members.size() - 1; i >= 0; i--) {
            if (i < members.size()) {
                members.get(i).sweep(now);
            }
        }
        if (!members.isEmpty()) {
            schedule();
        }
    }
}
