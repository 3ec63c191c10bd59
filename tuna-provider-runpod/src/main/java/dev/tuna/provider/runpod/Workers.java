package dev.tuna.provider.runpod;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/**
 * The workers of an endpoint, counted. A worker that is idle has its container running for as long as the idle timeout and
 * is billed; one that RunPod keeps for later has no start time.
 *
 * @param ids RunPod's ids of all of them
 * @param ready running a request or waiting for one
 * @param billed those of the ready ones, and of the starting ones, whose container runs
 * @param starting starting up
 * @param booting those of the starting ones whose container runs, so that the image is there
 * @param throttled waiting for a machine
 * @param unhealthy failing RunPod's health checks
 */
record Workers(List<String> ids, int ready, int billed, int starting, int booting, int throttled, int unhealthy) {

    Workers {
        ids = List.copyOf(ids);
    }

    static Workers of(JsonNode answer) {
        List<String> ids = new ArrayList<>();
        int ready = 0;
        int billed = 0;
        int starting = 0;
        int booting = 0;
        int throttled = 0;
        int unhealthy = 0;
        for (JsonNode worker : answer.path("workers")) {
            ids.add(worker.path("id").asText(""));
            boolean runs = worker.path("uptimeSeconds").isNumber();
            switch (worker.path("status").asText("")) {
                case "RUNNING" -> {
                    ready++;
                    billed++;
                }
                case "IDLE" -> {
                    ready++;
                    billed += runs ? 1 : 0;
                }
                case "INITIALIZING" -> {
                    starting++;
                    booting += runs ? 1 : 0;
                    billed += runs ? 1 : 0;
                }
                case "THROTTLED" -> throttled++;
                case "UNHEALTHY" -> unhealthy++;
                default -> {
                    // A state that RunPod has added since: neither ready nor known to cost anything.
                }
            }
        }
        return new Workers(ids, ready, billed, starting, booting, throttled, unhealthy);
    }

    int total() {
        return ready + starting + throttled + unhealthy;
    }

    boolean isBroken() {
        return unhealthy > 0 && unhealthy == total();
    }

    /** In a few words, for people. */
    String text() {
        StringBuilder text = new StringBuilder();
        append(text, ready, "ready");
        append(text, booting, "starting the engine");
        append(text, starting - booting, "fetching the image");
        append(text, throttled, "waiting for a machine");
        append(text, unhealthy, "unhealthy");
        return text.isEmpty() ? "scaled to zero" : "workers: " + text;
    }

    private static void append(StringBuilder text, int count, String what) {
        if (count > 0) {
            text.append(text.isEmpty() ? "" : ", ").append(count).append(' ').append(what);
        }
    }
}
