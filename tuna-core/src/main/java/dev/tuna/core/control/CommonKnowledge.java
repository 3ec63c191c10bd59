package dev.tuna.core.control;

import dev.tuna.core.placement.PoolHistory;
import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.StateStore;
import java.time.Instant;
import java.util.List;

/**
 * What is known of pools, which is as true for one deployment as for another: a pool that has just refused one is dry for the
 * next. Each decision is taken with all of it; who learns something by a decision stores all of it with its own record, so that
 * the newest record of all has everything. Confined to the control loop.
 */
final class CommonKnowledge {

    /** The newest records of deployments that are over that are looked at: one would do if all of them had been written whole. */
    private static final int ENDED = 16;

    private PoolHistory known = PoolHistory.NONE;

    /** Takes up what an earlier process knew. */
    void recall(List<DeploymentRecord> live, StateStore store, Instant now) {
        live.forEach(record -> known = known.join(Records.history(record, now)));
        store.ended(ENDED).forEach(record -> known = known.join(Records.history(record, now)));
    }

    /** A deployment that knows all there is to know. */
    @SuppressWarnings("ReferenceEquality") // a shortcut: what was not changed is the same object
    Managed tell(Managed managed) {
        if (managed.fleet().cloud().isEmpty() || managed.fleet().history() == known) {
            return managed;
        }
        return managed.with(draft -> draft.fleet = draft.fleet.with(fleet -> fleet.history = known));
    }

    /**
     * Takes up what a decision has brought to light.
     *
     * @param before a deployment that was told all
     * @return whether there is news
     */
    @SuppressWarnings("ReferenceEquality") // as above
    boolean learn(Managed before, Managed after) {
        boolean news = after.fleet().history() != before.fleet().history();
        if (news) {
            known = after.fleet().history();
        }
        return news;
    }
}
