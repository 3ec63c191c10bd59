package dev.tuna.core.replay;

import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A spot market made of recorded ones: six zones, each one of the traces of Bamboo (NSDI 2023), which tell how many machines of
 * a large fleet were alive. They are 11 to 27 hours long, from the first machine on, and are played over and over, each zone
 * from a moment of its own. The fleet that was recorded is not ours: what is scaled down to eight machines is what one could
 * hold there. Prices are made.
 */
final class BambooSpot {

    private static final int STEP_SECONDS = 60;
    private static final int PLENTY = 8;

    private record Source(String file, String zone) {}

    private static final List<Source> SOURCES = List.of(
            new Source("aws-g4dn.xlarge-us-east-1c-2020-11-20.csv", "us-east-1c"),
            new Source("aws-g4dn.xlarge-us-east-1d-2020-11-23.csv", "us-east-1d"),
            new Source("g4dn-trace.csv", "us-east-2a"),
            new Source("p3-trace.csv", "us-east-2b"),
            new Source("gcp-a100x1-east1b.txt", "us-west-2a"),
            new Source("gcp-v100x1-east1c.txt", "us-west-2b"));

    private BambooSpot() {}

    static Supply supply(long seed, int days) {
        var random = new SplittableRandom(seed);
        int steps = days * 24 * 3600 / STEP_SECONDS + 1;
        var slots = new int[SOURCES.size()][];
        for (int zone = 0; zone < slots.length; zone++) {
            int[] once = counts(Traces.lines("spot-bamboo/" + SOURCES.get(zone).file()));
            int most = Arrays.stream(once).max().orElseThrow();
            int offset = random.nextInt(once.length);
            var scaled = new int[steps];
            for (int step = 0; step < steps; step++) {
                scaled[step] = (int) Math.round((double) PLENTY * once[(step + offset) % once.length] / most);
            }
            slots[zone] = scaled;
        }
        List<Zone> zones =
                SOURCES.stream().map(source -> Zone.of(source.zone())).toList();
        return new Supply(zones, STEP_SECONDS, slots, SpotPrices.usdPerHour(slots.length, days * 24 + 1, random));
    }

    /** Machines alive, minute by minute, from the first one on. */
    private static int[] counts(List<String> lines) {
        var points = new ArrayList<long[]>();
        int alive = 0;
        for (String line : lines) {
            String[] parts = line.split(",", -1);
            if (parts.length == 2) {
                points.add(new long[] {Long.parseLong(parts[0].trim()), Long.parseLong(parts[1].trim())});
            } else if (parts[1].equals("add") || parts[1].equals("remove")) {
                alive += parts[1].equals("add") ? 1 : -1;
                points.add(new long[] {Long.parseLong(parts[0]) / 1000, alive});
            } else {
                long second = LocalDateTime.parse(parts[0].trim() + "T" + parts[1].trim())
                        .toEpochSecond(ZoneOffset.UTC);
                points.add(new long[] {second, Long.parseLong(parts[2].trim())});
            }
        }
        // Of samples of probes that overlap the order is not that of time.
        points.sort((left, right) -> Long.compare(left[0], right[0]));
        long first = points.stream().filter(point -> point[1] > 0).findFirst().orElseThrow()[0];
        long last = points.get(points.size() - 1)[0];
        var counts = new int[(int) ((last - first) / STEP_SECONDS) + 1];
        int next = 0;
        int count = 0;
        for (int step = 0; step < counts.length; step++) {
            while (next < points.size() && points.get(next)[0] <= first + (long) step * STEP_SECONDS) {
                count = (int) points.get(next)[1];
                next++;
            }
            counts[step] = count;
        }
        return counts;
    }
}
