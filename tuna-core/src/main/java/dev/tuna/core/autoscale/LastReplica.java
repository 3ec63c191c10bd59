package dev.tuna.core.autoscale;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Decides whether the last replica pays. What it is worth is told in time of its own: that grows with what serverless containers
 * would cost for the same traffic and shrinks with what the replica costs, within nothing and the policy's delay. A replica is
 * begun when it is worth the whole delay and given up when it is worth nothing. So an idle one is kept for the delay; traffic
 * that keeps a container busy for more of the time than the prices' ratio keeps it for ever; and traffic so thin that containers
 * are the cheaper way gets none. Whatever the traffic, no more is lost than twice what somebody pays who knows it in advance.
 *
 * <p>With a limit for first tokens that a cold start does not keep, requests are counted that would come upon a cold endpoint if
 * there was a replica only while it pays. While they are more than a small share of all, the replica is kept, whether it
 * pays or not. Pure.
 *
 * @param at the last step
 * @param worth what it is worth, from zero to the delay
 * @param pays whether it paid at the last step
 * @param containerTime container time that all traffic would have needed up to then
 * @param requests requests up to then
 * @param seen requests since counting began, fading
 * @param cold those among them that would have come upon a cold endpoint, fading alike
 * @param coldUntil until when whoever comes waits for a cold start that has begun
 * @param containerUp whether a container would have been up at the last step
 * @param containers containers that the traffic would have kept up lately, on average
 * @param keepsFirstTokens whether a replica has to be there for the sake of first tokens
 */
public record LastReplica(
        Instant at,
        Duration worth,
        boolean pays,
        Duration containerTime,
        long requests,
        double seen,
        double cold,
        Instant coldUntil,
        boolean containerUp,
        double containers,
        boolean keepsFirstTokens) {

    /** Of the one request in a hundred that may miss its limit, half are left to what nobody can foresee. */
    static final double COLD_SHARE = 0.005;

    private static final Duration HALF_LIFE = Duration.ofDays(1);

    /** How far back the average number of containers looks. */
    private static final Duration LATELY = Duration.ofMinutes(10);

    /** Checks that every part is there. */
    public LastReplica {
        Objects.requireNonNull(at, "at");
        Objects.requireNonNull(worth, "worth");
        Objects.requireNonNull(containerTime, "containerTime");
        Objects.requireNonNull(coldUntil, "coldUntil");
    }

    /**
     * Where a deployment begins: with a replica that has yet to show that it does not pay.
     *
     * @param now when
     * @param delay how long an idle replica is kept
     * @return the memory
     */
    public static LastReplica begin(Instant now, Duration delay) {
        return new LastReplica(now, delay, true, Duration.ZERO, 0, 0, 0, Instant.MIN, false, 0, false);
    }

    /**
     * Where a deployment goes on that has been looked after by an earlier process.
     *
     * @param now when
     * @param delay how long an idle replica is kept
     * @param pays whether a replica paid
     * @param containerTime container time that all traffic would have needed up to now
     * @return the memory
     */
    public static LastReplica resume(Instant now, Duration delay, boolean pays, Duration containerTime) {
        return new LastReplica(
                now, pays ? delay : Duration.ZERO, pays, containerTime, 0, 0, 0, Instant.MIN, false, 0, false);
    }

    /**
     * What a step has to know.
     *
     * @param delay how long an idle replica is kept
     * @param costRatio price of a container as a multiple of a replica's; empty if either is unknown, and then a replica pays
     *     whenever there is traffic
     * @param containerTime container time that all traffic would have needed on serverless alone
     * @param containerUp whether such a container would be up now
     * @param requests requests so far
     * @param coldStart how long a cold endpoint takes
     * @param firstToken limit for first tokens; empty if there is none
     * @param busy whether a replica has to be there anyway: since it boots, is new, or the traffic asks for more than one
     */
    public record Sight(
            Duration delay,
            OptionalDouble costRatio,
            Duration containerTime,
            boolean containerUp,
            long requests,
            Duration coldStart,
            Optional<Duration> firstToken,
            boolean busy) {

        /** Checks that every part is there. */
        public Sight {
            Objects.requireNonNull(delay, "delay");
            Objects.requireNonNull(costRatio, "costRatio");
            Objects.requireNonNull(containerTime, "containerTime");
            Objects.requireNonNull(coldStart, "coldStart");
            Objects.requireNonNull(firstToken, "firstToken");
        }
    }

    /**
     * Goes on to a moment.
     *
     * @param sight what there is
     * @param now the moment; one before the last step counts as the last step
     * @return the memory at that moment
     */
    public LastReplica step(Sight sight, Instant now) {
        Instant moment = now.isBefore(at) ? at : now;
        Duration passed = Duration.between(at, moment);
        Duration grown = sight.containerTime().minus(containerTime);
        Duration used = grown.isNegative() ? Duration.ZERO : grown;
        long came = sight.requests() < requests ? sight.requests() : sight.requests() - requests;

        boolean rests = !sight.busy() && !pays && !keepsFirstTokens && worth.isZero() && containers < 0.001;
        if (rests && came == 0 && used.isZero()) {
            // Nothing can change, and nobody should have to look at a state that differs in a moment alone.
            return this;
        }

        Duration next = sight.busy() ? sight.delay() : worth(sight, passed, used);
        boolean stillPays = sight.busy() || pays(sight, next, used);

        // Counted as if there were a replica only while it pays: what is kept for the sake of this must not change it.
        boolean startsCold = came > 0 && !pays && !containerUp && !moment.isBefore(coldUntil);
        Instant nowColdUntil = startsCold ? moment.plus(sight.coldStart()) : coldUntil;
        double fades = fading(passed, HALF_LIFE);
        double allSeen = fades * seen + came;
        double allCold = fades * cold + (!pays && moment.isBefore(nowColdUntil) ? came : 0);
        boolean limited = sight.firstToken()
                .filter(limit -> limit.compareTo(sight.coldStart()) < 0)
                .isPresent();
        return new LastReplica(
                moment,
                next,
                stillPays,
                sight.containerTime(),
                sight.requests(),
                allSeen,
                allCold,
                nowColdUntil,
                sight.containerUp(),
                average(passed, used),
                limited && allSeen >= 1 && allCold > COLD_SHARE * allSeen);
    }

    private Duration worth(Sight sight, Duration passed, Duration used) {
        double ratio = sight.costRatio().orElse(0);
        Duration next =
                worth.plus(Duration.ofNanos(Math.round(ratio * used.toNanos()))).minus(passed);
        if (next.isNegative()) {
            return Duration.ZERO;
        }
        return next.compareTo(sight.delay()) > 0 ? sight.delay() : next;
    }

    private boolean pays(Sight sight, Duration next, Duration used) {
        if (sight.delay().isZero()) {
            return !used.isZero();
        }
        return pays ? !next.isZero() : next.compareTo(sight.delay()) >= 0;
    }

    private double average(Duration passed, Duration used) {
        if (passed.isZero()) {
            return containers;
        }
        double fades = fading(passed, LATELY);
        return fades * containers + (1 - fades) * used.toNanos() / passed.toNanos();
    }

    private static double fading(Duration passed, Duration halfLife) {
        return Math.pow(0.5, (double) passed.toNanos() / halfLife.toNanos());
    }

    /**
     * Whether there is to be a replica, of traffic that asks for one at the most.
     *
     * @param asked replicas that the traffic asks for, 0 or 1
     * @return true for one
     */
    public boolean wanted(int asked) {
        return keepsFirstTokens || (pays && asked > 0);
    }
}
