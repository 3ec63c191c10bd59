package dev.tuna.router.select;

import dev.tuna.router.select.Choice.Outcome;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the backend of one attempt: the replica with room and the fewest requests in flight, and only if there is none,
 * the first serverless endpoint with room. So serverless gets nothing while a replica can serve, and scales to zero.
 */
public final class BackendSelector {

    private BackendSelector() {}

    /**
     * Chooses.
     *
     * @param <C> what stands for a backend
     * @param replicas the route's replicas, in any order
     * @param serverless the route's serverless endpoints, in order of preference
     * @param tried which of them have already failed this request
     * @param rotation a number that differs from one request to the next: it decides between equals
     * @param nowNanos the time
     * @return a backend, or why there is none
     */
    public static <C extends Candidate> Choice<C> choose(
            List<C> replicas, List<C> serverless, Predicate<? super C> tried, int rotation, long nowNanos) {
        @Nullable C replica = leastLoaded(replicas, tried, rotation, nowNanos);
        if (replica != null) {
            return Choice.of(Outcome.REPLICA, replica);
        }
        for (C endpoint : serverless) {
            if (verdict(endpoint, tried, nowNanos) == Verdict.USABLE) {
                return Choice.of(Outcome.SERVERLESS, endpoint);
            }
        }
        return Choice.none(whyNone(replicas, serverless, tried, nowNanos));
    }

    /** What keeps a backend from being chosen, the most hopeful last. */
    private enum Verdict {
        DRAINING(Outcome.NO_BACKEND),
        TRIED(Outcome.EXHAUSTED),
        RESTING(Outcome.RESTING),
        FULL(Outcome.FULL),
        USABLE(Outcome.FULL);

        private final Outcome meaning;

        Verdict(Outcome meaning) {
            this.meaning = meaning;
        }
    }

    private static <C extends Candidate> @Nullable C leastLoaded(
            List<C> replicas, Predicate<? super C> tried, int rotation, long now) {
        @Nullable C best = null;
        int fewest = Integer.MAX_VALUE;
        int size = replicas.size();
        for (int i = 0; i < size; i++) {
            C replica = replicas.get(Math.floorMod(rotation + i, size));
            int inFlight = replica.inFlight();
            if (inFlight < fewest && verdict(replica, tried, now) == Verdict.USABLE) {
                best = replica;
                fewest = inFlight;
            }
        }
        return best;
    }

    private static <C extends Candidate> Verdict verdict(C candidate, Predicate<? super C> tried, long now) {
        if (candidate.backend().draining()) {
            return Verdict.DRAINING;
        }
        if (tried.test(candidate)) {
            return Verdict.TRIED;
        }
        if (!candidate.admits(now)) {
            return Verdict.RESTING;
        }
        int limit = candidate.backend().address().maxInFlight();
        return limit > 0 && candidate.inFlight() >= limit ? Verdict.FULL : Verdict.USABLE;
    }

    private static <C extends Candidate> Outcome whyNone(
            List<C> replicas, List<C> serverless, Predicate<? super C> tried, long now) {
        Verdict most = Verdict.DRAINING;
        for (List<C> tier : List.of(replicas, serverless)) {
            for (C candidate : tier) {
                Verdict verdict = verdict(candidate, tried, now);
                most = verdict.compareTo(most) > 0 ? verdict : most;
            }
        }
        return most.meaning;
    }
}
