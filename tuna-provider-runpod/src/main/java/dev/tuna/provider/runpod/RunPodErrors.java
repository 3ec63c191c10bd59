package dev.tuna.provider.runpod;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.ErrorCode;
import dev.tuna.provider.support.ErrorMapping;
import java.util.Locale;
import java.util.Optional;

/** What RunPod's error answers mean. Its three APIs put the text into {@code detail}, {@code message} or {@code error}. */
final class RunPodErrors implements ErrorMapping {

    @Override
    public Optional<ErrorCode> code(int status, JsonNode body) {
        if (status == 401 || status == 403) {
            return Optional.empty();
        }
        String said = text(body).toLowerCase(Locale.ROOT);
        if (status == 402 || says(said, "balance", "insufficient funds", "quota", "spend limit")) {
            return Optional.of(ErrorCode.QUOTA);
        }
        if (says(said, "no longer any instances", "no instances available", "out of capacity")) {
            return Optional.of(ErrorCode.CAPACITY);
        }
        return Optional.empty();
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
        for (String field : new String[] {"detail", "message", "error"}) {
            text.append(body.path(field).asText("")).append('\n');
        }
        body.path("errors").forEach(error -> text.append(error.asText("")).append('\n'));
        return text.toString();
    }
}
