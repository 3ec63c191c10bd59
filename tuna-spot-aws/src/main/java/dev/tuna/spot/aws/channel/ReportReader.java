package dev.tuna.spot.aws.channel;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.spot.aws.channel.ReplicaReport.Gpu;
import dev.tuna.spot.aws.channel.ReplicaReport.Interruption;
import dev.tuna.spot.aws.channel.ReplicaReport.Phase;
import java.io.IOException;
import java.net.ProtocolException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Reads what an agent says. A machine may be taken over, so nothing in it is taken for granted. Pure. */
final class ReportReader {

    private static final int LONGEST_TEXT = 1000;

    private ReportReader() {}

    static ReplicaReport read(JsonNode told) throws IOException {
        try {
            List<Gpu> gpus = new ArrayList<>();
            for (JsonNode each : told.path("gpus")) {
                gpus.add(new Gpu(
                        each.path("utilization").asInt(),
                        each.path("usedMib").asInt(),
                        each.path("totalMib").asInt()));
            }
            return new ReplicaReport(
                    Phase.valueOf(told.path("phase").asText().toUpperCase(Locale.ROOT)),
                    text(told.path("detail")),
                    text(told.path("draining")),
                    told.path("inFlight").asInt(),
                    interruption(told.path("interruption")),
                    instant(told.path("rebalance")),
                    gpus,
                    seconds(told.path("sinceContact")),
                    seconds(told.path("uptime")));
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new ProtocolException("what an agent says of itself makes no sense: " + e.getMessage());
        }
    }

    private static Optional<Interruption> interruption(JsonNode told) {
        return instant(told.path("time")).map(at -> new Interruption(text(told.path("action")), at));
    }

    private static Optional<Instant> instant(JsonNode told) {
        if (!told.isTextual()) {
            return Optional.empty();
        }
        try {
            return Optional.of(Instant.parse(told.asText()));
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("time '" + text(told) + "'", e);
        }
    }

    private static Duration seconds(JsonNode told) {
        return Duration.ofMillis(Math.round(told.asDouble() * 1000));
    }

    /** One line without control characters, and no longer than a person would read. */
    private static String text(JsonNode told) {
        String text = told.asText("").replaceAll("\\p{Cntrl}+", " ").strip();
        return text.length() <= LONGEST_TEXT ? text : text.substring(0, LONGEST_TEXT);
    }
}
