package dev.tuna.provider.baseten;

import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Redaction;
import dev.tuna.spi.LogLine;
import java.util.List;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The end of the log of a deployment that failed, asked for once. Confined to the lock of its {@link TrackedModel}. */
final class FailureLog {

    private static final Logger LOG = LoggerFactory.getLogger(FailureLog.class);
    private static final Redaction REDACTION = Redaction.of(List.of());
    private static final int LINES = 20;
    private static final int SHOWN_LINES = 5;
    private static final int LENGTH = 600;

    private final BasetenApi api;
    private String of = "";
    private String end = "";

    FailureLog(BasetenApi api) {
        this.api = api;
    }

    /** In a few words, newest line first; empty for a deployment that has not failed. */
    String of(Deployment deployment) {
        if (!deployment.isFailed() && !deployment.isUnhealthy()) {
            return "";
        }
        String state = deployment.id() + deployment.status();
        if (!of.equals(state)) {
            try {
                end = REDACTION.quote(words(api.lastLog(deployment, LINES, REDACTION)), LENGTH);
                of = state;
            } catch (TunaException e) {
                LOG.debug("log of deployment {} cannot be read: {}", deployment.id(), e.getMessage());
                return "";
            }
        }
        return end;
    }

    /** The last lines tell most, so they come first and are not what is cut off. */
    private static String words(List<LogLine> newestFirst) {
        return newestFirst.stream()
                .map(LogLine::text)
                .filter(line -> !line.isBlank())
                .limit(SHOWN_LINES)
                .collect(Collectors.joining(" | "));
    }
}
