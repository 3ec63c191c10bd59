package dev.tuna.providers;

import dev.tuna.providers.VendorCase.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Plays points, each on a state directory and before a vendor of its own, and keeps the score. Thread-safe. */
final class VendorMatrix {

    private final Path directory;
    private final boolean changes;
    private final int atOnce;
    private final long began = System.nanoTime();
    private final Map<Point, Boolean> played = new TreeMap<>(); // whether it was reached; guarded by this
    private final Map<Point, String> failures = new TreeMap<>(); // guarded by this

    /**
     * Makes one.
     *
     * @param changes whether only calls count that may change something
     * @param atOnce so many cases at once
     */
    VendorMatrix(Path directory, boolean changes, int atOnce) {
        this.directory = directory;
        this.changes = changes;
        this.atOnce = atOnce;
    }

    /** Plays a scenario in which nobody is killed before it is over. */
    Outcome measure(String vendor, Scenario scenario) throws IOException {
        return VendorCase.play(Point.never(vendor, scenario), changes, Files.createTempDirectory(directory, "case"));
    }

    void play(List<Point> points) throws InterruptedException {
        Queue<Point> left = new ConcurrentLinkedQueue<>(points);
        List<Thread> players = IntStream.range(0, atOnce)
                .mapToObj(i -> new Thread(() -> play(left), "vendor-matrix"))
                .toList();
        players.forEach(Thread::start);
        for (Thread player : players) {
            player.join();
        }
    }

    private void play(Queue<Point> left) {
        for (Point point = left.poll(); point != null; point = left.poll()) {
            try {
                Outcome outcome = VendorCase.play(point, changes, Files.createTempDirectory(directory, "case"));
                System.out.println(point + " " + outcome);
                note(point, outcome.killed(), "");
            } catch (IOException | RuntimeException | AssertionError e) {
                note(point, true, String.valueOf(e.getMessage()));
            }
        }
    }

    private synchronized void note(Point point, boolean reached, String failure) {
        played.put(point, reached);
        if (!failure.isEmpty()) {
            failures.put(point, failure);
            System.out.println(failure);
        }
    }

    synchronized int size() {
        return played.size();
    }

    synchronized List<Point> failures() {
        return List.copyOf(failures.keySet());
    }

    /** Points at which nobody was killed, because the scenario was over before. */
    synchronized List<Point> notReached() {
        return played.keySet().stream()
                .filter(point -> !Boolean.TRUE.equals(played.get(point)))
                .toList();
    }

    /** How many points of each kind, and what came of them. */
    synchronized String table() {
        var text = new StringBuilder(row("vendor", "scenario", "killed", "points", "not reached", "failed"));
        Map<Point, List<Point>> groups = played.keySet().stream()
                .collect(Collectors.groupingBy(VendorMatrix::group, TreeMap::new, Collectors.toList()));
        groups.forEach((group, points) -> text.append(row(
                group.vendor(),
                group.scenario(),
                group.kind(),
                points.size(),
                notReached().stream().filter(points::contains).count(),
                failures.keySet().stream().filter(points::contains).count())));
        Duration wall = Duration.ofNanos(System.nanoTime() - began);
        return text.append(row("all", "", "", played.size(), notReached().size(), failures.size()))
                .append("in " + wall.toMinutes() + " min " + wall.toSecondsPart() + " s, " + atOnce + " at once")
                .toString();
    }

    private static Point group(Point point) {
        return new Point(point.vendor(), point.scenario(), point.kind(), 0);
    }

    private static String row(Object... cells) {
        return String.format("%-9s %-9s %-18s %8s %12s %8s%n", cells);
    }
}
