package dev.tuna.core.replay;

import java.util.ArrayList;
import java.util.List;

/**
 * What nobody can go below who keeps every request from waiting: somebody who knows everything in advance and whose machines are
 * there the moment they are wanted and gone the moment they are not. At every moment as many machines run as the requests in
 * flight fill, each in the cheapest zone that has one, or as a container if that is cheaper or there is none. No boot, no cold
 * start, no idle time, no shortest bill.
 */
final class LowerBound {

    private LowerBound() {}

    static Outcome of(Supply supply, Load load, double serverlessUsd) {
        List<long[]> changes = new ArrayList<>(2 * load.millis.length);
        for (int i = 0; i < load.millis.length; i++) {
            var job = new Job(load.millis[i], load.prompt[i], load.output[i]);
            changes.add(new long[] {job.cameAt, 1});
            changes.add(new long[] {job.cameAt + job.totalMillis(), -1});
        }
        changes.sort((left, right) -> Long.compare(left[0], right[0]));
        long within2 = 0;
        long within10 = 0;
        for (int i = 0; i < load.millis.length; i++) {
            long prefill = new Job(0, load.prompt[i], load.output[i]).prefillMillis();
            within2 += prefill <= 2_000 ? 1 : 0;
            within10 += prefill <= 10_000 ? 1 : 0;
        }
        double spot = 0;
        double serverless = 0;
        int inFlight = 0;
        long since = 0;
        for (long[] change : changes) {
            int machines = (inFlight + Parameters.CONCURRENCY - 1) / Parameters.CONCURRENCY;
            while (machines > 0 && since < change[0]) {
                long step = (since / 1000 / supply.stepSeconds + 1) * 1000 * supply.stepSeconds;
                long to = Math.min(change[0], step);
                double price = cheapest(supply, (int) (since / 1000));
                double cost = machines * (to - since) / 3_600_000.0;
                if (price <= serverlessUsd) {
                    spot += cost * price;
                } else {
                    serverless += cost * serverlessUsd;
                }
                since = to;
            }
            since = change[0];
            inFlight += (int) change[1];
        }
        return new Outcome(load.millis.length, 0, within2, within10, spot, 0, serverless, 0, 0);
    }

    private static double cheapest(Supply supply, int second) {
        double best = Double.POSITIVE_INFINITY;
        for (int zone = 0; zone < supply.zones.size(); zone++) {
            if (supply.slots(zone, second) > 0) {
                best = Math.min(best, supply.price(zone, second));
            }
        }
        return best;
    }
}
