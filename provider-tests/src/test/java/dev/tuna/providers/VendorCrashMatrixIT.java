package dev.tuna.providers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.providers.VendorCase.Outcome;
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
 * {@code kill -9} of the controller at every call to a vendor and at every write to a store, before each vendor's stand-in.
 * Whoever takes over must end with one endpoint that answers or with nothing, and with nothing beside it.
 */
class VendorCrashMatrixIT {

    /** Points to play again, as failures name them, between commas; with {@link #everyPoint}, what points begin with. */
    private static final String CHOSEN = "tuna.crash";

    private static final int AT_ONCE = Integer.getInteger("tuna.crash.atOnce", 1);
    private static final boolean CHANGES = Boolean.getBoolean("tuna.crash.changes");

    @TempDir
    Path directory;

    @Test
    @DisabledIfSystemProperty(named = CHOSEN, matches = ".+")
    void aSample() throws InterruptedException {
        List<Point> points = Stream.of(
                        "runpod/DEPLOY/CALL_NOT_ANSWERED/1",
                        "baseten/DEPLOY/CALL_NOT_ANSWERED/5",
                        "cloudrun/REDEPLOY/CALL_NOT_ANSWERED/1",
                        "modal/DESTROY/CALL_NOT_ANSWERED/1",
                        "aws/DEPLOY/CALL_NOT_ANSWERED/5")
                .map(Point::parse)
                .filter(point -> Vendor.canStart(point.vendor()))
                .toList();
        var matrix = new VendorMatrix(directory, true, 2);
        matrix.play(points);
        assertThat(matrix.failures()).isEmpty();
        assertThat(matrix.notReached()).as("points that were not reached").isEmpty();
    }

    @Test
    @EnabledIfSystemProperty(named = CHOSEN, matches = ".+/.+/.+/.+")
    void theChosenPoints() throws InterruptedException {
        var matrix = new VendorMatrix(directory, CHANGES, AT_ONCE);
        matrix.play(Stream.of(chosen().split(",")).map(Point::parse).toList());
        System.out.println(matrix.table());
        assertThat(matrix.failures()).isEmpty();
    }

    @Test
    @Tag("full")
    @DisabledIfSystemProperty(named = CHOSEN, matches = ".+/.+/.+/.+")
    void everyPoint() throws InterruptedException, IOException {
        var matrix = new VendorMatrix(directory, CHANGES, AT_ONCE);
        for (String vendor : Vendor.ALL.stream().filter(Vendor::canStart).toList()) {
            for (Scenario scenario : Scenario.values()) {
                if (!scenario.fits(vendor)) {
                    continue;
                }
                if ((vendor + "/" + scenario + "/").startsWith(chosen())
                        || chosen().startsWith(vendor + "/" + scenario)) {
                    matrix.play(points(matrix.measure(vendor, scenario), vendor, scenario));
                    System.out.println(matrix.table());
                }
            }
        }
        assertThat(matrix.failures()).isEmpty();
        // A run is shorter or longer with what else the machine does; but most of the points must have been hit.
        assertThat(matrix.notReached()).hasSizeLessThan(matrix.size() / 2);
    }

    /** As many as there were in a run in which nobody was killed. */
    private static List<Point> points(Outcome measured, String vendor, Scenario scenario) {
        System.out.println(vendor + " " + scenario + ": " + measured);
        var points = new ArrayList<Point>();
        for (Kind kind : Kind.values()) {
            int last = kind.moment().isPresent() ? measured.calls().size() : kind.atWrite() ? measured.writes() : 0;
            IntStream.iterate(1, k -> k <= last, k -> k + Integer.getInteger("tuna.crash.step", 1))
                    .mapToObj(k -> new Point(vendor, scenario, kind, k))
                    .filter(point -> point.toString().startsWith(chosen()))
                    .forEach(points::add);
        }
        return points;
    }

    private static String chosen() {
        return System.getProperty(CHOSEN, "");
    }
}
