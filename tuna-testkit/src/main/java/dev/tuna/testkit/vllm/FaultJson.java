package dev.tuna.testkit.vllm;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Locale;
import java.util.Set;

/**
 * A fault as JSON: {@code {"kind":"reset","token":5,"times":1,"path":"/v1/chat/completions"}}. {@code at} may be
 * {@code before_headers} or {@code after_headers} in place of {@code token}; {@code pause_ms} and {@code bytes} belong to
 * the kinds that have them.
 */
final class FaultJson {

    private static final Set<String> KEYS =
            Set.of("kind", "at", "token", "status", "pause_ms", "bytes", "times", "path");

    private FaultJson() {}

    static Fault read(JsonNode node) throws ApiError {
        for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!KEYS.contains(name)) {
                throw ApiError.badParameter(
                        name,
                        "unknown key " + name + "; allowed: "
                                + KEYS.stream().sorted().toList());
            }
        }
        Fields fields = new Fields(node);
        Fault plain = Fault.of(kind(node.path("kind").asText("")));
        Fault fault = new Fault(
                plain.kind(),
                moment(fields, plain),
                fields.number("status", plain.status(), 400),
                Duration.ofMillis(fields.number("pause_ms", (int) plain.pause().toMillis(), 0)),
                fields.number("bytes", plain.bytes(), 1),
                fields.number("times", Fault.ALWAYS, 1),
                plain.matches());
        return fields.has("path") ? fault.on(node.path("path").asText()) : fault;
    }

    private static Fault.Kind kind(String name) throws ApiError {
        try {
            return Fault.Kind.valueOf(name.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            String allowed = Arrays.toString(Fault.Kind.values()).toLowerCase(Locale.ROOT);
            throw ApiError.badParameter("kind", "kind: unknown fault " + name + "; allowed: " + allowed);
        }
    }

    private static Fault.Moment moment(Fields fields, Fault plain) throws ApiError {
        if (fields.has("token")) {
            return Fault.Moment.atToken(fields.number("token", 0, 0));
        } else if (!fields.has("at")) {
            return plain.moment();
        }
        return switch (fields.at("at").asText()) {
            case "before_headers" -> Fault.Moment.BEFORE_HEADERS;
            case "after_headers" -> Fault.Moment.AFTER_HEADERS;
            default -> throw ApiError.badParameter("at", "at: must be before_headers or after_headers");
        };
    }
}
