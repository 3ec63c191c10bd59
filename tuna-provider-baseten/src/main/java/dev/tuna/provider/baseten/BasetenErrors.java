package dev.tuna.provider.baseten;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.ErrorCode;
import dev.tuna.provider.support.ErrorMapping;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/** What Baseten's error answers mean. They are not described; the text is in {@code message}, {@code error} or {@code detail}. */
final class BasetenErrors implements ErrorMapping {

    private static final int NO_KEY = 401;
    private static final int PAYMENT_REQUIRED = 402;
    private static final int RATE_LIMIT = 429;

    @Override
    public Optional<ErrorCode> code(int status, JsonNode body) {
        if (status == NO_KEY || status == RATE_LIMIT) {
            return Optional.empty();
        }
        String said = text(body).toLowerCase(Locale.ROOT);
        if (status == PAYMENT_REQUIRED
                || says(said, "payment method", "insufficient credit", "out of credits", "quota")
                || says(said, "not supported for your organization", "feature unavailable")) {
            return Optional.of(ErrorCode.QUOTA);
        }
        if (says(said, "no capacity", "insufficient capacity", "out of capacity")) {
            return Optional.of(ErrorCode.CAPACITY);
        }
        return Optional.empty();
    }

    @Override
    public Optional<Duration> retryAfter(JsonNode body) {
        long seconds = body.path("retry_after").asLong();
        return seconds > 0 ? Optional.of(Duration.ofSeconds(seconds)) : Optional.empty();
    }

    private static boolean says(String said, String... phrases) {
        for (String phrase : phrases) {
            if (said.contains(phrase)) {
                return true;
            }
        }
        return false;
    }

    private static String text(JsonNode body) {
        StringBuilder text = new StringBuilder();
        for (String field : new String[] {"message", "error", "detail"}) {
            text.append(body.path(field).asText("")).append('\n');
        }
        return text.toString();
    }
}
