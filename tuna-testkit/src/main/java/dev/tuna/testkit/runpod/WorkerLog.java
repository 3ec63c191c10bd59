package dev.tuna.testkit.runpod;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/** What a worker and RunPod about it have written. Confined to its endpoint's lock. */
final class WorkerLog {

    private record Line(Instant at, String source, String text) {}

    private final List<Line> lines = new ArrayList<>();

    void system(String text) {
        add("system", text);
    }

    void container(String text) {
        add("container", text);
    }

    private void add(String source, String text) {
        lines.add(new Line(Instant.now().truncatedTo(ChronoUnit.MICROS), source, text));
    }

    /**
     * The last lines as events.
     *
     * @param tail how many at the most
     * @param source {@code container} or {@code system}; empty for both
     */
    String events(int tail, String source) {
        List<Line> chosen = lines.stream()
                .filter(line -> source.isEmpty() || line.source.equals(source))
                .toList();
        StringBuilder events = new StringBuilder();
        for (int at = Math.max(0, chosen.size() - tail); at < chosen.size(); at++) {
            Line line = chosen.get(at);
            var json = RunPodRoutes.JSON.createObjectNode();
            json.put("ts", line.at.toString()).put("source", line.source).put("line", line.text);
            events.append("id: %s/%012d\ndata: %s\n\n".formatted(line.at, at, json));
        }
        return events.toString();
    }
}
