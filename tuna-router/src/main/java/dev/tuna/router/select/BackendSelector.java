package dev.tuna.router.select;

import dev.tuna.router.select.Choice.Outcome;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the backend of one attempt, the first of these that there is:
 *
 * <ol>
 *   <li>the replica that keeps up and has the fewest requests in flight, so that serverless gets nothing while replicas do
 *       and scales to zero;
 *   <li>the first serverless endpoint with room;
 *   <li>the replica with the fewest requests, though it is slow or full: slow is better than nothing;
 *   <li>if everything has failed of late, the backend whose last failure is the longest ago.
 * </ol>
 *
 * <p>Where the fewest requests in flight decide, a conversation goes to its home instead, if that is not much busier: its
 * server may still have the tokens so far in its prefix cache. Homes are chosen by rendezvous: each replica has a score
 * for each conversation and the highest wins, so that a replica that comes or goes moves no conversations but its own.
 */
public final class BackendSelector {

    /** In place of a draw: a replica need not keep up. */
    private static final double WHATEVER_IT_IS = -1;

    /** Requests by which a conversation's home may be busier than the least busy replica, at least. */
    private static final int LEAST_SLACK = 4;

    /** Likewise, as a part of the least busy replica's requests. */
    private static final int SLACK_PART = 4;

    private BackendSelector() {}

    /**
     * Chooses.
     *
     * @param <C> what stands for a backend
     * @param replicas the route's replicas, in any order
     * @param serverless the route's serverless endpoints, in order of preference
     * @param tried which of them have already failed this request
     * @param conversation which conversation the request belongs to; empty if that does not matter
     * @param rotation a number that differs from one request to the next: it decides between equals
     * @param nowNanos the time
     * @return a backend, or why there is none
     */
    public static <C extends Candidate> Choice<C> choose(
            List<C> replicas,
            List<C> serverless,
            Predicate<? super C> tried,
            OptionalLong conversation,
            int rotation,
            long nowNanos) {
        @Nullable C quick = replica(replicas, tried, conversation, rotation, draw(rotation), nowNanos);
        if (quick != null) {
            return Choice.of(Outcome.REPLICA, quick);
        }
        for (C endpoint : serverless) {
            if (verdict(endpoint, tried, nowNanos) == Verdict.USABLE) {
                return Choice.of(Outcome.SERVERLESS, endpoint);
            }
        }
        @Nullable C slow = replica(replicas, tried, conversation, rotation, WHATEVER_IT_IS, nowNanos);
        if (slow != null) {
            return Choice.of(Outcome.REPLICA, slow);
        }
        Outcome why = whyNone(replicas, serverless, tried, nowNanos);
        return why == Outcome.LAST_RESORT
                ? Choice.of(why, leastBad(replicas, serverless, tried, nowNanos))
                : Choice.none(why);
    }

    /** Even over any run of requests, unlike chance: the fractional parts of the multiples of the golden ratio. */
    private static double draw(int rotation) {
        return ((rotation * 0x9E3779B97F4A7C15L) >>> 11) * 0x1.0p-53;
    }

    /** What keeps a backend from being chosen, the most hopeful last. */
    private enum Verdict {
        DRAINING(Outcome.NO_BACKEND),
        TRIED(Outcome.EXHAUSTED),
        BROKEN(Outcome.LAST_RESORT),
        RESTING(Outcome.RESTING),
        FULL(Outcome.FULL),
        USABLE(Outcome.FULL);

        private final Outcome meaning;

        Verdict(Outcome meaning) {
            this.meaning = meaning;
        }
    }

    private static <C extends Candidate> @Nullable C replica(
            List<C> replicas,
            Predicate<? super C> tried,
            OptionalLong conversation,
            int rotation,
            double draw,
            long now) {
        @Nullable C least = leastLoaded(replicas, tried, rotation, draw, now);
        return least == null || conversation.isEmpty()
                ? least
                : home(replicas, tried, conversation.getAsLong(), least, draw, now);
    }

    private static <C extends Candidate> C home(
            List<C> replicas, Predicate<? super C> tried, long conversation, C least, double draw, long now) {
        int fewest = least.inFlight();
        int most = fewest + Math.max(LEAST_SLACK, fewest / SLACK_PART);
        C best = least;
        long highest = score(conversation, least);
        for (int i = 0; i < replicas.size(); i++) {
            C replica = replicas.get(i);
            long score = score(conversation, replica);
            if (score > highest && replica.inFlight() <= most && isReady(replica, tried, draw, now)) {
                best = replica;
                highest = score;
            }
        }
        return best;
    }

    /** The same in every router and every run; every bit of both decides about every bit of it. */
    private static long score(long conversation, Candidate replica) {
        long mixed = conversation * 0x9E3779B97F4A7C15L + replica.backend().id().hashCode();
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }

    private static <C extends Candidate> @Nullable C leastLoaded(
            List<C> replicas, Predicate<? super C> tried, int rotation, double draw, long now) {
        @Nullable C best = null;
        int fewest = Integer.MAX_VALUE;
        int size = replicas.size();
        for (int i = 0; i < size; i++) {
            C replica = replicas.get(Math.floorMod(rotation + i, size));
            int inFlight = replica.inFlight();
            if (inFlight < fewest && isReady(replica, tried, draw, now)) {
                best = replica;
                fewest = inFlight;
            }
        }
        return best;
    }

    private static <C extends Candidate> boolean isReady(C replica, Predicate<? super C> tried, double draw, long now) {
        return verdict(replica, tried, now) == Verdict.USABLE && (draw == WHATEVER_IT_IS || replica.keepsUp(draw, now));
    }

    private static <C extends Candidate> Verdict verdict(C candidate, Predicate<? super C> tried, long now) {
        if (candidate.backend().draining()) {
            return Verdict.DRAINING;
        }
        if (tried.test(candidate)) {
            return Verdict.TRIED;
        }
        if (!candidate.admits(now)) {
            return candidate.wantsRest(now) ? Verdict.RESTING : Verdict.BROKEN;
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

    private static <C extends Candidate> C leastBad(
            List<C> replicas, List<C> serverless, Predicate<? super C> tried, long now) {
        return Stream.concat(replicas.stream(), serverless.stream())
                .filter(candidate -> verdict(candidate, tried, now) == Verdict.BROKEN)
                .max(Comparator.comparingLong(candidate -> candidate.sinceFailure(now)))
                .orElseThrow();
    }
}
