package dev.tuna.provider.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.CapacityException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.TunaException;
import dev.tuna.provider.support.ErrorMapping;
import dev.tuna.provider.support.Redaction;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What Google's errors mean. Most of them have a reason in their details; Cloud Run's own refusals for want of quota have
 * only text.
 */
final class CloudRunErrors implements ErrorMapping {

    /** gRPC's number for "resource exhausted" (google.rpc.Code). */
    private static final int EXHAUSTED = 8;

    private static final int QUOTED_LENGTH = 1000;

    @Override
    public Optional<ErrorCode> code(int status, JsonNode body) {
        JsonNode error = body.path("error");
        String reason = reason(error);
        if (reason.equals("SERVICE_DISABLED") || reason.equals("BILLING_DISABLED")) {
            return Optional.of(ErrorCode.PROVIDER_REFUSED);
        }
        if (isRateLimit(status, reason)) {
            return Optional.empty();
        }
        return meaning(error.path("message").asText(""));
    }

    /** So many calls a minute; that passes. */
    private static boolean isRateLimit(int status, String reason) {
        return status == 429 && !reason.equals("QUOTA_EXCEEDED");
    }

    private static Optional<ErrorCode> meaning(String message) {
        String said = message.toLowerCase(Locale.ROOT);
        if (said.contains("quota violated")
                || said.contains("quota exceeded")
                || said.contains("exceeds quota")
                || said.contains("max instances must be set to")) {
            return Optional.of(ErrorCode.QUOTA);
        }
        if (said.contains("no available instance")
                || said.contains("insufficient capacity")
                || said.contains("does not have enough resources")
                || said.contains("resource pool exhausted")) {
            return Optional.of(ErrorCode.CAPACITY);
        }
        return Optional.empty();
    }

    /** The first reason among an error's details. */
    private static String reason(JsonNode error) {
        for (JsonNode detail : error.path("details")) {
            String reason = detail.path("reason").asText("");
            if (!reason.isEmpty()) {
                return reason;
            }
        }
        return "";
    }

    /** What an operation's error says, for people: it may quote logs and addresses. */
    static String text(JsonNode error) {
        return Redaction.of(List.of()).quote(error.path("message").asText(""), QUOTED_LENGTH);
    }

    /** An operation that ended with an error although the call that began it was answered with 200. */
    static TunaException of(String operation, JsonNode error) {
        String message = text(error);
        Optional<ErrorCode> known = meaning(error.path("message").asText(""));
        ErrorCode code =
                known.orElse(error.path("code").asInt() == EXHAUSTED ? ErrorCode.CAPACITY : ErrorCode.PROVIDER_REFUSED);
        if (code == ErrorCode.QUOTA || code == ErrorCode.CAPACITY) {
            return new CapacityException(code, CloudRunProvider.NAME + ": " + operation + " failed: " + message);
        }
        return ProviderException.of(CloudRunProvider.NAME, operation)
                .message(message.isEmpty() ? "no explanation came with it" : message)
                .build();
    }
}
