package dev.tuna.provider.runpod;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.provider.support.Redaction;
import dev.tuna.spi.LogLine;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Reads what the workers of an endpoint have written, and RunPod about them. Confined to one reading. */
final class WorkerLogs {

    /** Each takes a call that waits for a moment of quiet. */
    private static final int MOST_WORKERS = 5;

    /** The most that RunPod looks back. */
    private static final int MOST_LINES = 5000;

    private static final Comparator<LogLine> BY_TIME =
            Comparator.comparing((LogLine line) -> line.at().orElse(Instant.MIN));

    private final RunPodApi api;
    private final Endpoint endpoint;
    private final Redaction redaction;

    WorkerLogs(RunPodApi api, Endpoint endpoint) {
        this.api = api;
        this.endpoint = endpoint;
        this.redaction = Redaction.of(api.secrets());
    }

    /** The newest lines, oldest first. */
    List<LogLine> newest(int lines) {
        List<LogLine> all = new ArrayList<>();
        List<String> workers = api.workers(endpoint.id()).map(Workers::ids).orElse(List.of());
        workers.stream()
                .limit(MOST_WORKERS)
                .forEach(worker -> api.logs(endpoint.id(), worker, Math.min(lines, MOST_LINES))
                        .forEach(event -> line(worker, event).ifPresent(all::add)));
        all.sort(BY_TIME); // stable: lines of one moment stay in their order
        return List.copyOf(all.subList(Math.max(0, all.size() - lines), all.size()));
    }

    private Optional<LogLine> line(String worker, String event) {
        try {
            JsonNode json = EndpointPlan.JSON.readTree(event);
            String text = json.path("line").asText("");
            return Optional.of(new LogLine(time(json.path("ts").asText("")), worker, redaction.redact(text)));
        } catch (JacksonException e) {
            return Optional.empty(); // not a line
        }
    }

    private static Optional<Instant> time(String text) {
        try {
            return Optional.of(Instant.parse(text));
        } catch (DateTimeParseException e) {
            return Optional.empty();
        }
    }
}
