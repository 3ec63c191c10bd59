package dev.tuna.core.crash;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.core.crash.Case.Outcome;
import dev.tuna.testkit.crash.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code kill -9} of the controller between any two steps, with real processes: at every call to the cloud, at every write
 * to a store, and at any other moment. Whoever takes over must end with what was wanted, with nothing beside it, and with
 * the right bill.
 */
class CrashMatrixIT {

    /** One point to play again, as a failure names it; with {@link #everyPoint}, what points begin with. */
    private static final String CHOSEN = "tuna.crash";

    @TempDir
    Path directory;

    @Test
    @DisabledIfSystemProperty(named = CHOSEN, matches = ".+")
    void aSample() throws InterruptedException {
        List<Point> points = Stream.of(
                        "DEPLOY/CALL_NOT_ANSWERED/3",
                        "DEPLOY/CALL_ANSWERED/5",
                        "DEPLOY/BEFORE_WRITE/1",
                        "DEPLOY/AFTER_WRITE/5",
                        "SCALE_UP/AFTER_WRITE/2",
                        "SCALE_DOWN/BEFORE_WRITE/2",
                        "NOTICE/CALL_NOT_ACTED_ON/4",
                        "LOSS/CALL_NOT_ANSWERED/3",
                        "TAKEOVER/ANYTHING/7",
                        "REDEPLOY/AFTER_WRITE/8",
                        "DESTROY/CALL_NOT_ACTED_ON/1",
                        "DESTROY/AFTER_WRITE/2")
                .map(Point::parse)
                .toList();
        try (var matrix = new Matrix(directory, 2)) {
            matrix.play(points);
            assertThat(matrix.failures()).isEmpty();
            assertThat(matrix.notReached()).as("points that were not reached").isEmpty();
        }
    }

    @Test
    @EnabledIfSystemProperty(named = CHOSEN, matches = ".+/.+/.+")
    void theChosenPoint() throws InterruptedException {
        try (var matrix = new Matrix(directory, 1)) {
            matrix.play(List.of(Point.parse(System.getProperty(CHOSEN))));
            System.out.println(matrix.table());
            assertThat(matrix.failures()).isEmpty();
        }
    }

    @Test
    @Tag("full")
    @DisabledIfSystemProperty(named = CHOSEN, matches = ".+/.+/.+")
    void everyPoint() throws InterruptedException, IOException {
        try (var matrix = new Matrix(directory, Integer.getInteger("tuna.crash.atOnce", 1))) {
            for (Scenario scenario : chosenScenarios()) {
                matrix.play(points(matrix.measure(scenario), scenario));
                System.out.println(matrix.table());
            }
            assertThat(matrix.failures()).isEmpty();
            // A run is shorter or longer with what else the machine does; but most of the points must have been hit.
            assertThat(matrix.notReached()).hasSizeLessThan(matrix.size() / 2);
        }
    }

    /** As many as there were in a run in which nobody was killed. */
    private static List<Point> points(Outcome measured, Scenario scenario) {
        var points = new ArrayList<Point>();
        for (Kind kind : Kind.values()) {
            int last = kind.moment().isPresent()
                    ? measured.calls()
                    : kind.atWrite() ? measured.writes() : (int) measured.span().dividedBy(Point.STEP);
            IntStream.iterate(1, k -> k <= last, k -> k + Integer.getInteger("tuna.crash.step", 1))
                    .mapToObj(k -> new Point(scenario, kind, k))
                    .filter(point -> point.toString().startsWith(chosen()))
                    .forEach(points::add);
        }
        return points;
    }

    private static List<Scenario> chosenScenarios() {
        return Stream.of(Scenario.values())
                .filter(scenario -> scenario.name().startsWith(chosen().split("/")[0]))
                .toList();
    }

    private static String chosen() {
        return System.getProperty(CHOSEN, "");
    }
}
