package dev.tuna.core.replay;

import java.util.List;

/**
 * How many machines one could hold in each zone, over time: a step function for each. When a number falls, the machines that
 * go are drawn from all that are held, ours among the others'. Nobody changes the arrays.
 */
final class Supply {

    final List<Zone> zones;
    final int stepSeconds;

    /** By zone, then by step. */
    final int[][] slots;

    /** Spot price by zone, then by hour. */
    final double[][] usdPerHour;

    Supply(List<Zone> zones, int stepSeconds, int[][] slots, double[][] usdPerHour) {
        this.zones = List.copyOf(zones);
        this.stepSeconds = stepSeconds;
        this.slots = slots;
        this.usdPerHour = usdPerHour;
    }

    int slots(int zone, int second) {
        int[] steps = slots[zone];
        return steps[Math.min(steps.length - 1, second / stepSeconds)];
    }

    double price(int zone, int second) {
        double[] hours = usdPerHour[zone];
        return hours[Math.min(hours.length - 1, second / 3600)];
    }

    int seconds() {
        return slots[0].length * stepSeconds;
    }
}
