package dev.tuna.testkit.contract;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

/** Sends a plan through text, as a store does. */
final class PlanText {

    private static final ObjectMapper JSON = new ObjectMapper();

    private PlanText() {}

    static <T> T storedAndReadBack(T plan, Class<T> type) {
        try {
            return JSON.readValue(JSON.writeValueAsString(plan), type);
        } catch (JsonProcessingException e) {
            throw new AssertionError("a plan cannot be stored as text", e);
        }
    }
}
