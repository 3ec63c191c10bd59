package dev.tuna.core.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.function.BiPredicate;
import org.junit.jupiter.api.Test;

/** The made market behaves as the measured one does. */
class SyntheticSpotTest {

    private static final int DAYS = 91;
    private static final int RUNS = 4;
    private static final Supply[] RUN = runs();

    private static Supply[] runs() {
        var runs = new Supply[RUNS];
        for (int run = 0; run < RUNS; run++) {
            runs[run] = SyntheticSpot.supply(1000 + run, DAYS);
        }
        return runs;
    }

    @Test
    void zonesAreUpAndAreLostAsOftenAsMeasured() {
        for (int zone = 0; zone < SyntheticSpot.ZONES.size(); zone++) {
            SyntheticSpot.Known known = SyntheticSpot.ZONES.get(zone);
            double up = 0;
            double losses = 0;
            for (Supply run : RUN) {
                int[] slots = run.slots[zone];
                up += Arrays.stream(slots).filter(each -> each > 0).count() / (double) slots.length / RUNS;
                for (int step = 1; step < slots.length; step++) {
                    losses += slots[step - 1] > 0 && slots[step] == 0 ? 45.5 / DAYS / RUNS : 0;
                }
            }
            assertThat(up).as(known.name()).isCloseTo(known.up(), within(0.08));
            assertThat(losses / known.losses()).as("losses of " + known.name()).isBetween(0.75, 1.25);
        }
    }

    @Test
    void zonesOfARegionFailTogetherMoreOftenThanRegions() {
        assertThat(correlation(String::equals)).isCloseTo(0.43, within(0.06));
        assertThat(correlation((left, right) -> !left.equals(right))).isCloseTo(0.14, within(0.05));
    }

    @Test
    void somewhereThereIsNearlyAlwaysAMachine() {
        double any = 0;
        for (Supply run : RUN) {
            int steps = run.slots[0].length;
            for (int step = 0; step < steps; step++) {
                int at = step;
                any += Arrays.stream(run.slots).anyMatch(zone -> zone[at] > 0) ? 1.0 / steps / RUNS : 0;
            }
        }
        assertThat(any).isCloseTo(0.992, within(0.008));
    }

    private static double correlation(BiPredicate<String, String> which) {
        double sum = 0;
        int pairs = 0;
        for (Supply run : RUN) {
            for (int left = 0; left < run.zones.size(); left++) {
                for (int right = 0; right < left; right++) {
                    if (which.test(
                            run.zones.get(left).region(), run.zones.get(right).region())) {
                        sum += correlation(run.slots[left], run.slots[right]);
                        pairs++;
                    }
                }
            }
        }
        return sum / pairs;
    }

    private static double correlation(int[] left, int[] right) {
        double n = left.length;
        double both = 0;
        double one = 0;
        double other = 0;
        for (int step = 0; step < left.length; step++) {
            one += left[step] > 0 ? 1 / n : 0;
            other += right[step] > 0 ? 1 / n : 0;
            both += left[step] > 0 && right[step] > 0 ? 1 / n : 0;
        }
        return (both - one * other) / Math.sqrt(one * (1 - one) * other * (1 - other));
    }
}
