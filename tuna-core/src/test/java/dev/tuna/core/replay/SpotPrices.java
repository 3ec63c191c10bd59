package dev.tuna.core.replay;

import java.util.SplittableRandom;

/**
 * Made prices, since no trace of real ones is at hand: each zone's logarithm of the price wanders around a mean of its own and
 * is drawn back to it. They do not depend on what is to be had: nobody knows whether they do.
 */
final class SpotPrices {

    private SpotPrices() {}

    static double[][] usdPerHour(int zones, int hours, SplittableRandom random) {
        double keep = Math.exp(-1 / Parameters.PRICE_MEMORY_HOURS);
        double push = Parameters.PRICE_SPREAD * Math.sqrt(1 - keep * keep);
        var prices = new double[zones][hours];
        for (double[] zone : prices) {
            double share = Parameters.SPOT_SHARE_LOW
                    + random.nextDouble() * (Parameters.SPOT_SHARE_HIGH - Parameters.SPOT_SHARE_LOW);
            double stray = Parameters.PRICE_SPREAD * random.nextGaussian();
            for (int hour = 0; hour < hours; hour++) {
                zone[hour] = Parameters.ON_DEMAND_USD * share * Math.exp(stray);
                stray = keep * stray + push * random.nextGaussian();
            }
        }
        return prices;
    }
}
