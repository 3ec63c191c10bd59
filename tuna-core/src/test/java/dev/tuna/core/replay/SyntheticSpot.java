package dev.tuna.core.replay;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A made spot market with the statistics of a real one: nine zones of one GPU, probed every 195 s for 45.5 days. A zone can be
 * had while a hidden value is below a threshold that follows from its share of time up. The value is a sum of Gaussian noise
 * that all zones share, noise of the region and noise of the zone, all three slow (hours), and of quick noise of the zone
 * (minutes), in the proportions that give the correlations and the number of losses that were measured.
 *
 * <p>Measured, and what {@code SyntheticSpotTest} holds this against: share of time up 0.17 to 0.91, 94 to 343 losses a zone,
 * correlation of two zones of a region 0.43 and of two regions 0.14, at least one zone up 0.992 of the time.
 */
final class SyntheticSpot {

    static final int STEP_SECONDS = 195;

    /** Enough for anybody here while a zone can be had: shortages take all of a zone. */
    private static final int PLENTY = 8;

    private static final double ALL_SHARE = 0.32;
    private static final double REGION_SHARE = 0.60;
    private static final double SLOW_HOURS = 14;
    private static final double SLOW_SMOOTHING_HOURS = 0.5;
    private static final double QUICK_HOURS = 0.4;
    private static final double QUICK_SMOOTHING_HOURS = 0.25;

    /**
     * What is known of a zone.
     *
     * @param name its name
     * @param up share of the time in which a machine can be had
     * @param losses how often it stopped within 45.5 days
     * @param quick which part of its hidden value is quick
     */
    record Known(String name, double up, int losses, double quick) {}

    static final List<Known> ZONES = List.of(
            new Known("us-east-1a", 0.167, 253, 0.40),
            new Known("us-east-1c", 0.467, 343, 0.35),
            new Known("us-east-1d", 0.447, 293, 0.30),
            new Known("us-east-1f", 0.591, 285, 0.30),
            new Known("us-east-2a", 0.759, 145, 0.10),
            new Known("us-east-2b", 0.682, 174, 0.10),
            new Known("us-west-2a", 0.883, 158, 0.30),
            new Known("us-west-2b", 0.905, 94, 0.13),
            new Known("us-west-2c", 0.891, 142, 0.30));

    private SyntheticSpot() {}

    static Supply supply(long seed, int days) {
        var random = new SplittableRandom(seed);
        int steps = days * 24 * 3600 / STEP_SECONDS + 1;
        double[] all = slow(steps, random);
        Map<String, double[]> regions = new HashMap<>();
        var slots = new int[ZONES.size()][];
        for (int zone = 0; zone < slots.length; zone++) {
            Known known = ZONES.get(zone);
            double[] region = regions.computeIfAbsent(Zone.of(known.name()).region(), name -> slow(steps, random));
            slots[zone] = slots(known, all, region, slow(steps, random), quick(steps, random));
        }
        List<Zone> zones = ZONES.stream().map(known -> Zone.of(known.name())).toList();
        return new Supply(zones, STEP_SECONDS, slots, SpotPrices.usdPerHour(slots.length, days * 24 + 1, random));
    }

    private static int[] slots(Known known, double[] all, double[] region, double[] own, double[] quick) {
        double threshold = quantile(known.up());
        var slots = new int[all.length];
        for (int step = 0; step < slots.length; step++) {
            double slow = Math.sqrt(ALL_SHARE) * all[step]
                    + Math.sqrt(REGION_SHARE) * region[step]
                    + Math.sqrt(1 - ALL_SHARE - REGION_SHARE) * own[step];
            double value = Math.sqrt(1 - known.quick()) * slow + Math.sqrt(known.quick()) * quick[step];
            slots[step] = value < threshold ? PLENTY : 0;
        }
        return slots;
    }

    private static double[] slow(int steps, SplittableRandom random) {
        return noise(steps, SLOW_HOURS, SLOW_SMOOTHING_HOURS, random);
    }

    private static double[] quick(int steps, SplittableRandom random) {
        return noise(steps, QUICK_HOURS, QUICK_SMOOTHING_HOURS, random);
    }

    /** An Ornstein-Uhlenbeck process, smoothed twice, with mean 0 and variance 1 in the long run. */
    private static double[] noise(int steps, double hours, double smoothingHours, SplittableRandom random) {
        int width = Math.max(1, (int) Math.round(smoothingHours * 3600 / STEP_SECONDS));
        double keep = Math.exp(-STEP_SECONDS / (hours * 3600));
        var raw = new double[steps + 2 * width];
        double value = random.nextGaussian();
        for (int step = 0; step < raw.length; step++) {
            value = keep * value + Math.sqrt(1 - keep * keep) * random.nextGaussian();
            raw[step] = value;
        }
        double[] smooth = smoothed(smoothed(raw, width), width);
        double norm = Math.sqrt(varianceAfterSmoothing(keep, width));
        return Arrays.stream(smooth).limit(steps).map(each -> each / norm).toArray();
    }

    private static double[] smoothed(double[] values, int width) {
        var means = new double[values.length - width];
        for (int at = 0; at < means.length; at++) {
            double sum = 0;
            for (int step = at; step < at + width; step++) {
                sum += values[step];
            }
            means[at] = sum / width;
        }
        return means;
    }

    /** Of a mean over a triangle of weights, which two means over a box are. */
    private static double varianceAfterSmoothing(double keep, int width) {
        double sum = 0;
        for (int i = -width + 1; i < width; i++) {
            for (int j = -width + 1; j < width; j++) {
                sum += (width - Math.abs(i)) * (double) (width - Math.abs(j)) * Math.pow(keep, Math.abs(i - j));
            }
        }
        return sum / Math.pow(width, 4);
    }

    /** Of the standard normal distribution, by halving. */
    private static double quantile(double share) {
        double low = -8;
        double high = 8;
        for (int round = 0; round < 60; round++) {
            double middle = (low + high) / 2;
            if (normal(middle) < share) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return (low + high) / 2;
    }

    /** Abramowitz and Stegun 26.2.17; off by less than 1e-7. */
    private static double normal(double x) {
        double t = 1 / (1 + 0.2316419 * Math.abs(x));
        double poly = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
        double tail = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI) * poly;
        return x >= 0 ? 1 - tail : tail;
    }
}
