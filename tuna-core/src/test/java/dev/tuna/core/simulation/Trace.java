package dev.tuna.core.simulation;

import dev.tuna.testkit.time.VirtualTime;
import java.util.ArrayList;
import java.util.List;

/** What happened, line by line, with the virtual time at which it did. Confined to the thread of the time. */
final class Trace {

    private final VirtualTime time;
    private final List<String> lines = new ArrayList<>();
    private long hash = 1;

    Trace(VirtualTime time) {
        this.time = time;
    }

    void add(String what) {
        String line = stamp(time.nanoTime()) + "  " + what;
        lines.add(line);
        for (int i = 0; i < line.length(); i++) {
            hash = hash * 1_000_003 + line.charAt(i);
        }
    }

    private static String stamp(long nanos) {
        long millis = nanos / 1_000_000;
        return String.format(
                "d%d %02d:%02d:%02d.%03d",
                millis / 86_400_000,
                millis / 3_600_000 % 24,
                millis / 60_000 % 60,
                millis / 1_000 % 60,
                millis % 1_000);
    }

    /** Differs when anything differs: text, time or order of any line. */
    long hash() {
        return hash;
    }

    /** The last lines, oldest first. */
    List<String> last(int count) {
        return List.copyOf(lines.subList(Math.max(0, lines.size() - count), lines.size()));
    }

    int size() {
        return lines.size();
    }
}
