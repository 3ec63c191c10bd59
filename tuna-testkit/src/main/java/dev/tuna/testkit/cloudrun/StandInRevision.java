package dev.tuna.testkit.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.TunaException;
import dev.tuna.testkit.cloudrun.CloudRunStandIn.Trouble;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A revision and its one instance. Confined to the lock of its service. */
final class StandInRevision {

    private final String id;
    private final ObjectNode template;
    private final CloudRunStandIn.Builder config;
    private final Trouble trouble;
    private final long begun = System.nanoTime();
    private State state = State.IMPORTING;
    private String message = "";
    private long wokenAt;
    private boolean waking;
    private int inFlight;
    private @Nullable VllmStandIn server;
    private final Consumer<String> log;

    private enum State {
        IMPORTING,
        STARTING,
        READY,
        FAILED
    }

    StandInRevision(
            String id, ObjectNode template, CloudRunStandIn.Builder config, Trouble trouble, Consumer<String> log) {
        this.id = id;
        this.template = template;
        this.config = config;
        this.trouble = trouble;
        this.log = log;
    }

    /** An instance that serves a request. */
    record Lease(URI server, Runnable release) {}

    String id() {
        return id;
    }

    ObjectNode template() {
        return template;
    }

    boolean isPending() {
        return state == State.IMPORTING || state == State.STARTING;
    }

    boolean isReady() {
        return state == State.READY;
    }

    boolean runs() {
        return server != null;
    }

    /** Brings it to where time has taken it. */
    void advance() {
        if (isPending() && config.held) {
            return;
        }
        long age = System.nanoTime() - begun;
        long boot = config.bootTime.toNanos();
        if (state == State.IMPORTING && age >= boot / 2 && trouble != Trouble.STUCK) {
            state = trouble == Trouble.NO_IMAGE ? State.FAILED : State.STARTING;
        }
        if (state == State.STARTING && age >= boot) {
            deploy();
        }
        if (waking && System.nanoTime() - wokenAt >= boot) {
            waking = false;
            start();
        }
        if (state == State.FAILED && message.isEmpty()) {
            message = text();
        }
    }

    private void deploy() {
        if (trouble == Trouble.NONE && start()) {
            state = State.READY;
        } else {
            state = State.FAILED;
        }
    }

    private String text() {
        String revision = "Revision '" + id + "' is not ready and cannot serve traffic. ";
        return revision
                + switch (trouble) {
                    case NO_IMAGE ->
                        "Image '"
                                + template.path("containers")
                                        .path(0)
                                        .path("image")
                                        .asText() + "' not found.";
                    case NO_CAPACITY ->
                        "The region does not have enough resources available to fulfill the request for a GPU.";
                    case NO_QUOTA -> "Quota exceeded for total allowable count of GPUs per project per region.";
                    default ->
                        "The user-provided container failed to start and listen on the port defined provided by the"
                                + " PORT=8000 environment variable within the allocated timeout. Logs URL:"
                                + " https://console.cloud.google.com/logs/viewer?project=standin";
                };
    }

    private boolean start() {
        Map<String, String> environment = new HashMap<>();
        JsonNode container = template.path("containers").path(0);
        container
                .path("env")
                .forEach(variable -> environment.put(
                        variable.path("name").asText(), variable.path("value").asText("")));
        List<String> command = new ArrayList<>(List.of("serve"));
        container.path("args").forEach(word -> command.add(word.asText()));
        try {
            server = VllmStandIn.forCommandLine(command, environment)
                    .host("127.0.0.1")
                    .port(0)
                    .start();
            // Some images print what they were given.
            log.accept("loading with token " + environment.getOrDefault("HF_TOKEN", "none"));
            log.accept("Application startup complete.");
            return true;
        } catch (IllegalArgumentException | TunaException e) {
            // As a container whose command vLLM refuses: it exits.
            log.accept("vllm serve: error: " + e.getMessage());
            return false;
        }
    }

    void sleep() {
        VllmStandIn running = server;
        server = null;
        if (running != null) {
            running.close();
        }
    }

    void wake() {
        if (server == null && !waking) {
            waking = true;
            wokenAt = System.nanoTime();
        }
    }

    boolean isFull() {
        int instances = template.path("scaling").path("maxInstanceCount").asInt(100);
        return inFlight
                >= instances * template.path("maxInstanceRequestConcurrency").asInt(80);
    }

    /** Empty while no instance runs. */
    Optional<Lease> lease(Consumer<Runnable> locked) {
        VllmStandIn running = server;
        if (running == null) {
            return Optional.empty();
        }
        inFlight++;
        log.accept("INFO: request answered");
        return Optional.of(new Lease(running.uri(), () -> locked.accept(() -> inFlight--)));
    }

    // --- what is told of it ---

    ObjectNode condition(String type) {
        ObjectNode condition = StandInService.JSON.createObjectNode().put("type", type);
        switch (state) {
            case READY -> condition.put("state", "CONDITION_SUCCEEDED");
            case FAILED ->
                condition
                        .put("state", "CONDITION_FAILED")
                        .put("message", message)
                        .put("severity", "ERROR")
                        .put("reason", trouble == Trouble.NO_IMAGE ? "CONTAINER_MISSING" : "REVISION_FAILED");
            default -> condition.put("state", "CONDITION_RECONCILING");
        }
        return condition;
    }

    void describe(ArrayNode conditions) {
        conditions.add(condition("Ready"));
        String image = state == State.IMPORTING
                ? "CONDITION_RECONCILING"
                : trouble == Trouble.NO_IMAGE ? "CONDITION_FAILED" : "CONDITION_SUCCEEDED";
        conditions.addObject().put("type", "ContainerReady").put("state", image);
        conditions
                .addObject()
                .put("type", "ContainerHealthy")
                .put("state", isReady() ? "CONDITION_SUCCEEDED" : "CONDITION_RECONCILING");
    }

    /** What the operation that made it ends with. */
    Optional<ObjectNode> error() {
        return state == State.FAILED
                ? Optional.of(StandInService.JSON
                        .createObjectNode()
                        .put("code", trouble == Trouble.NO_CAPACITY ? 8 : 9)
                        .put("message", message))
                : Optional.empty();
    }
}
