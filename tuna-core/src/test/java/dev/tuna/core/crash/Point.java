package dev.tuna.core.crash;

import dev.tuna.testkit.crash.Kind;
import java.time.Duration;
import java.util.Comparator;

/**
 * One case: a controller that is killed once.
 *
 * @param scenario what goes on
 * @param kind what it is doing when it is killed
 * @param k at the how-many-th such moment, from 1; 0 is never
 */
record Point(Scenario scenario, Kind kind, int k) implements Comparable<Point> {

    /** What k counts for {@link Kind#ANYTHING}. */
    static final Duration STEP = Duration.ofMillis(100);

    private static final Comparator<Point> ORDER =
            Comparator.comparing(Point::scenario).thenComparing(Point::kind).thenComparing(Point::k);

    static Point never(Scenario scenario) {
        return new Point(scenario, Kind.ANYTHING, 0);
    }

    static Point parse(String text) {
        String[] parts = text.split("/");
        return new Point(Scenario.valueOf(parts[0]), Kind.valueOf(parts[1]), Integer.parseInt(parts[2]));
    }

    @Override
    public int compareTo(Point other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return scenario + "/" + kind + "/" + k;
    }
}
