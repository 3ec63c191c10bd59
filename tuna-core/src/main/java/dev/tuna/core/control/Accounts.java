package dev.tuna.core.control;

import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.core.ledger.SameTraffic;
import java.time.Instant;
import java.util.OptionalLong;

/**
 * The books of one deployment. Immutable.
 *
 * @param tally the ledger added up
 * @param same what the same traffic would have needed on one tier alone
 * @param inFlight requests in flight at the last step of {@code same}
 * @param requests requests counted by the route at the last step of {@code same}
 * @param serverlessPrice microdollars per hour of one container; empty if unknown
 * @param onDemandPrice microdollars per hour of one machine at list price; empty if unknown
 * @param before traffic of earlier processes
 * @param stored what the store has of this
 * @param storedAt when that was made, in steady time
 */
record Accounts(
        Tally tally,
        SameTraffic same,
        int inFlight,
        long requests,
        OptionalLong serverlessPrice,
        OptionalLong onDemandPrice,
        TrafficStats before,
        Stored stored,
        Instant storedAt) {

    /**
     * What survives a crash.
     *
     * @param traffic traffic up to then
     * @param same see {@link Accounts#same}
     */
    record Stored(TrafficStats traffic, SameTraffic same) {}

    static Accounts start(SameTraffic same, Now now) {
        return new Accounts(
                Tally.EMPTY,
                same,
                0,
                0,
                OptionalLong.empty(),
                OptionalLong.empty(),
                TrafficStats.NONE,
                new Stored(TrafficStats.NONE, same),
                now.steady());
    }

    /** These books with the traffic of those that they follow, up to now. */
    Accounts following(Accounts before, TrafficStats current, Instant at) {
        return new Accounts(
                tally,
                before.same,
                before.inFlight,
                before.requests,
                serverlessPrice.isPresent() ? serverlessPrice : before.serverlessPrice,
                onDemandPrice.isPresent() ? onDemandPrice : before.onDemandPrice,
                before.before,
                new Stored(Traffic.sum(before.before, current), before.same),
                at);
    }

    /** The books at the end, when the route and its counters go. */
    Accounts closed(TrafficStats current, Instant at) {
        TrafficStats all = Traffic.past(Traffic.sum(before, current));
        return new Accounts(tally, same, 0, 0, serverlessPrice, onDemandPrice, all, new Stored(all, same), at);
    }

    Accounts withTally(Tally next) {
        return new Accounts(next, same, inFlight, requests, serverlessPrice, onDemandPrice, before, stored, storedAt);
    }

    Accounts withSame(SameTraffic next, int inFlightNow, long requestsNow) {
        return new Accounts(
                tally, next, inFlightNow, requestsNow, serverlessPrice, onDemandPrice, before, stored, storedAt);
    }

    Accounts withServerlessPrice(OptionalLong price) {
        return price.isEmpty() || price.equals(serverlessPrice)
                ? this
                : new Accounts(tally, same, inFlight, requests, price, onDemandPrice, before, stored, storedAt);
    }

    Accounts withOnDemandPrice(OptionalLong price) {
        return price.isEmpty()
                ? this
                : new Accounts(tally, same, inFlight, requests, serverlessPrice, price, before, stored, storedAt);
    }

    Accounts withStored(Stored next, Instant at) {
        return new Accounts(tally, same, inFlight, requests, serverlessPrice, onDemandPrice, before, next, at);
    }
}
