package dev.tuna.provider.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.provider.support.Redaction;
import dev.tuna.spi.LogLine;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Reads what the containers of a service have written, and Cloud Run about them, from Cloud Logging. Thread-safe. */
final class ServiceLogs {

    private static final String WHAT = "(log_id(\"run.googleapis.com/stdout\") OR log_id(\"run.googleapis.com/stderr\")"
            + " OR log_id(\"run.googleapis.com/varlog/system\"))";

    private ServiceLogs() {}

    static String filter(Place place) {
        return "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"" + place.service()
                + "\" AND resource.labels.location=\"" + place.region() + "\" AND " + WHAT;
    }

    /** The lines of an answer that has the newest first, oldest first. */
    static List<LogLine> lines(JsonNode answer, Redaction redaction) {
        List<LogLine> lines = new ArrayList<>();
        for (JsonNode entry : answer.path("entries")) {
            text(entry)
                    .ifPresent(text -> lines.add(new LogLine(
                            time(entry.path("timestamp").asText("")),
                            entry.path("labels").path("instanceId").asText(""),
                            redaction.redact(text))));
        }
        Collections.reverse(lines);
        return List.copyOf(lines);
    }

    /** What a container prints as JSON is taken apart by Cloud Logging. */
    private static Optional<String> text(JsonNode entry) {
        String text = entry.path("textPayload")
                .asText(entry.path("jsonPayload").path("message").asText(""));
        if (!text.isEmpty()) {
            return Optional.of(text);
        }
        JsonNode structured = entry.path("jsonPayload");
        return structured.isMissingNode() ? Optional.empty() : Optional.of(structured.toString());
    }

    private static Optional<Instant> time(String text) {
        try {
            return Optional.of(Instant.parse(text));
        } catch (DateTimeParseException e) {
            return Optional.empty();
        }
    }
}
