package dev.tuna.core.crash;

import dev.tuna.core.crash.Case.Outcome;
import dev.tuna.testkit.crash.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;

/** Plays points, each on a state directory of its own, and keeps the score. */
final class Matrix implements AutoCloseable {

    private final Path directory;
    private final List<LethalCloud> clouds = new ArrayList<>();
    private final long began = System.nanoTime();
    private final Map<Point, Boolean> played = new TreeMap<>(); // whether it was reached; guarded by this
    private final Map<Point, String> failures = new TreeMap<>(); // guarded by this

    /** So many cases at once, each with a cloud of its own, which outlives them. */
    Matrix(Path directory, int atOnce) {
        this.directory = directory;
        for (int i = 0; i < atOnce; i++) {
            clouds.add(new LethalCloud());
        }
    }

    /** Plays a scenario in which nobody is killed before it is over. */
    Outcome measure(Scenario scenario) throws IOException {
        return Case.play(clouds.get(0), Point.never(scenario), Files.createTempDirectory(directory, "case"));
    }

    void play(List<Point> points) throws InterruptedException {
        Queue<Point> left = new ConcurrentLinkedQueue<>(points);
        List<Thread> players = clouds.stream()
                .map(cloud -> new Thread(() -> play(cloud, left), "crash-matrix"))
                .toList();
        players.forEach(Thread::start);
        for (Thread player : players) {
            player.join();
        }
    }

    private void play(LethalCloud cloud, Queue<Point> left) {
        for (Point point = left.poll(); point != null; point = left.poll()) {
            try {
                Outcome outcome = Case.play(cloud, point, Files.createTempDirectory(directory, "case"));
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
        var text = new StringBuilder(row("scenario", "killed", "points", "not reached", "failed"));
        for (Scenario scenario : Scenario.values()) {
            for (Kind kind : Kind.values()) {
                List<Point> points = only(played.keySet().stream(), scenario, kind);
                if (!points.isEmpty()) {
                    text.append(row(
                            scenario,
                            kind,
                            points.size(),
                            only(notReached().stream(), scenario, kind).size(),
                            only(failures.keySet().stream(), scenario, kind).size()));
                }
            }
        }
        Duration wall = Duration.ofNanos(System.nanoTime() - began);
        return text.append(row("all", "", played.size(), notReached().size(), failures.size()))
                .append("in " + wall.toMinutes() + " min " + wall.toSecondsPart() + " s, " + clouds.size() + " at once")
                .toString();
    }

    private static List<Point> only(Stream<Point> points, Scenario scenario, Kind kind) {
        return points.filter(point -> point.scenario() == scenario && point.kind() == kind)
                .toList();
    }

    private static String row(Object... cells) {
        return String.format("%-12s %-18s %8s %12s %8s%n", cells);
    }

    @Override
    public void close() {
        clouds.forEach(LethalCloud::close);
    }
}
