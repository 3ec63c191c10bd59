package dev.tuna.providers;

import dev.tuna.testkit.crash.Kind;
import java.util.Comparator;

/**
 * One case: a controller that is killed once.
 *
 * @param vendor whose stand-in it works with
 * @param scenario what goes on
 * @param kind what it is doing when it is killed
 * @param k at the how-many-th such moment, from 1; 0 is never
 */
record Point(String vendor, Scenario scenario, Kind kind, int k) implements Comparable<Point> {

    private static final Comparator<Point> ORDER = Comparator.comparing(
                    (Point point) -> Vendor.ALL.indexOf(point.vendor()))
            .thenComparing(Point::scenario)
            .thenComparing(Point::kind)
            .thenComparing(Point::k);

    static Point never(String vendor, Scenario scenario) {
        return new Point(vendor, scenario, Kind.ANYTHING, 0);
    }

    static Point parse(String text) {
        String[] parts = text.split("/");
        return new Point(parts[0], Scenario.valueOf(parts[1]), Kind.valueOf(parts[2]), Integer.parseInt(parts[3]));
    }

    @Override
    public int compareTo(Point other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return vendor + "/" + scenario + "/" + kind + "/" + k;
    }
}
