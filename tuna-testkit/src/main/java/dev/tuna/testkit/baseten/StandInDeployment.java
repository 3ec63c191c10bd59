package dev.tuna.testkit.baseten;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.testkit.baseten.BasetenStandIn.Trouble;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A deployment and its replicas. What time has done to them is worked out whenever somebody looks. Thread-safe.
 */
final class StandInDeployment implements AutoCloseable {

    private static final Duration LOOK = Duration.ofMillis(5);

    private final String id;
    private final String modelId;
    private final Instant createdAt = Instant.now().truncatedTo(ChronoUnit.MICROS);
    private final String machine;
    private final JsonNode config;
    private final JsonNode labels;
    private final Duration bootTime;
    private final Workspace workspace;
    /** The workspace's. */
    private final ReentrantLock lock;

    private final Condition changed;

    // All guarded by lock:
    private String name;
    private final List<Replica> replicas = new ArrayList<>();
    private final List<String> log = new ArrayList<>();
    private long begun = System.nanoTime();
    private Trouble trouble = Trouble.NONE;
    private String status = "BUILDING";
    private int replicasMade;
    private boolean deployed;
    private boolean closed;
    private @Nullable ObjectNode scaling;
    private String policy = "QUEUE_ON_FULL";

    StandInDeployment(
            String id,
            String modelId,
            String name,
            String machine,
            JsonNode payload,
            Duration bootTime,
            Workspace workspace) {
        this.id = id;
        this.modelId = modelId;
        this.name = name;
        this.machine = machine;
        this.config = payload.path("config");
        this.labels = payload.path("labels");
        this.bootTime = bootTime;
        this.workspace = workspace;
        this.lock = workspace.lock();
        this.changed = workspace.changed();
        log.add("Building image from " + config.path("base_image").path("image").asText());
    }

    /** Confined to the workspace's lock. */
    private static final class Replica {
        final String id;
        final VllmStandIn server;
        final long readyAt;
        long usedAt = System.nanoTime();
        int inFlight;

        Replica(String id, VllmStandIn server, long readyAt) {
            this.id = id;
            this.server = server;
            this.readyAt = readyAt;
        }

        boolean isReady() {
            return System.nanoTime() >= readyAt;
        }
    }

    /** A replica that serves a request. */
    record Lease(URI server, Runnable release) {}

    /** Thrown where no replica may be waited for. */
    static final class Full extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Full() {
            super("full", null, false, false);
        }
    }

    String id() {
        return id;
    }

    String name() {
        return read(() -> name);
    }

    void rename(String to) {
        read(() -> name = to);
    }

    String machine() {
        return machine;
    }

    Instant createdAt() {
        return createdAt;
    }

    /** Whether it answers requests, if need be after it has been woken. */
    boolean isUp() {
        return List.of("ACTIVE", "SCALED_TO_ZERO", "WAKING_UP").contains(status());
    }

    boolean isFailed() {
        return status().endsWith("FAILED");
    }

    String status() {
        return read(() -> {
            look();
            return status;
        });
    }

    int replicas() {
        return read(() -> {
            look();
            return replicas.size();
        });
    }

    void trouble(Trouble now) {
        read(() -> {
            trouble = now;
            if (now == Trouble.CRASHING && deployed) {
                stopReplicas();
            }
            look();
            return now;
        });
    }

    /** What Baseten does after half an hour without a machine. */
    void giveUp() {
        read(() -> {
            status = "INACTIVE";
            return stopReplicas();
        });
    }

    void activate() {
        read(() -> {
            if (status.equals("INACTIVE") || status.equals("DEACTIVATING")) {
                begun = System.nanoTime() - bootTime.toNanos() / 4;
                deployed = false;
                status = "DEPLOYING";
            }
            return status;
        });
    }

    void deactivate() {
        read(() -> {
            status = "INACTIVE";
            return stopReplicas();
        });
    }

    boolean retry() {
        return read(() -> {
            if (!status.endsWith("FAILED")) {
                return false;
            }
            begun = System.nanoTime();
            status = "BUILDING";
            return true;
        });
    }

    /** What its environment says, as soon as it is deployed. */
    void configure(ObjectNode settings, String backpressure) {
        read(() -> {
            scaling = settings;
            policy = backpressure;
            return policy;
        });
    }

    /** What happens to a deployment when another one takes its place. */
    void retire() {
        read(() -> {
            scaling = workspace.untouched();
            scaling.put("min_replica", 0).put("scale_down_delay", 0);
            return policy;
        });
    }

    private <T> T read(Supplier<T> reading) {
        lock.lock();
        try {
            return reading.get();
        } finally {
            lock.unlock();
        }
    }

    private int setting(String key, int otherwise) {
        return scaling == null ? otherwise : scaling.path(key).asInt(otherwise);
    }

    /** Brings the deployment to where time has taken it. */
    private void look() {
        long age = System.nanoTime() - begun;
        long boot = bootTime.toNanos();
        if (closed || status.equals("INACTIVE") || status.endsWith("FAILED")) {
            return;
        }
        if (deployed) {
            scale();
            return;
        }
        if (age < boot / 4) {
            status = "BUILDING";
        } else if (trouble == Trouble.BUILD_FAILS) {
            fail("BUILD_FAILED", "E: Unable to locate package supervisor");
        } else if (age < boot / 2 || trouble == Trouble.NO_MACHINE) {
            status = "DEPLOYING";
        } else if (!hasToken()) {
            fail("DEPLOY_FAILED", "401 Client Error: Unauthorized for url of the weights' repository");
        } else if (trouble == Trouble.CRASHING) {
            fail("DEPLOY_FAILED", "Exited too quickly (process log may have details)");
        } else if (age < boot || trouble == Trouble.STUCK) {
            status = "LOADING_MODEL";
        } else {
            deploy();
        }
    }

    /** A secret that the weights are fetched with has to be there. */
    private boolean hasToken() {
        for (JsonNode weights : config.path("weights")) {
            String secret = weights.path("auth").path("auth_secret_name").asText("");
            boolean gated = workspace.isGated(weights.path("source").asText());
            if (secret.isEmpty() ? gated : workspace.secret(secret).isEmpty()) {
                return false;
            }
        }
        return true;
    }

    private void fail(String as, String line) {
        status = as;
        log.add(line);
    }

    private void deploy() {
        if (addReplica(0)) {
            deployed = true;
            workspace.deployed(modelId, this);
            scale();
        }
    }

    private boolean addReplica(long afterNanos) {
        try {
            replicas.add(new Replica(id + "-" + ++replicasMade, engine(), System.nanoTime() + afterNanos));
            log.add("Replica " + replicasMade + " started: "
                    + config.path("docker_server").path("start_command").asText());
            return true;
        } catch (IllegalArgumentException | Refusal e) {
            fail("DEPLOY_FAILED", "vllm: error: " + e.getMessage());
            return false;
        }
    }

    private VllmStandIn engine() {
        Map<String, String> files = new HashMap<>();
        config.path("secrets")
                .fieldNames()
                .forEachRemaining(
                        name -> workspace.secret(name).ifPresent(value -> files.put("/secrets/" + name, value)));
        ShellWords.Command command = ShellWords.read(
                config.path("docker_server").path("start_command").asText(), files);
        workspace.started(id, command.environment());
        List<String> words = command.words();
        return VllmStandIn.forCommandLine(words.subList(1, words.size()), command.environment())
                .port(0)
                .start();
    }

    private void scale() {
        int least = setting("min_replica", 0);
        int most = setting("max_replica", 1);
        long idle = Duration.ofSeconds(setting("scale_down_delay", 900)).toNanos();
        long now = System.nanoTime();
        if (trouble == Trouble.CRASHING) {
            status = "UNHEALTHY";
            return;
        }
        replicas.removeIf(replica -> {
            boolean spare = replica.inFlight == 0
                    && replica.isReady()
                    && (replicas.size() > most || (replicas.size() > least && now - replica.usedAt > idle));
            if (spare) {
                replica.server.close();
            }
            return spare;
        });
        while (replicas.size() < least && replicas.size() < most && addReplica(bootTime.toNanos() / 2)) {
            // until there are enough
        }
        if (!status.endsWith("FAILED")) {
            status = replicas.isEmpty()
                    ? "SCALED_TO_ZERO"
                    : replicas.stream().anyMatch(Replica::isReady) ? "ACTIVE" : "WAKING_UP";
        }
    }

    /** Starts a replica if there is none. */
    void wake() {
        read(() -> {
            look();
            if (deployed && replicas.isEmpty() && !status.equals("INACTIVE")) {
                addReplica(bootTime.toNanos() / 2);
                look();
            }
            return status;
        });
    }

    /**
     * A replica for a request, once there is one.
     *
     * @param limit how long to wait for it
     * @return empty if there was none in time, or the deployment went
     * @throws Full if it is told not to let requests wait
     */
    Optional<Lease> lease(Duration limit) throws InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        lock.lock();
        try {
            while (!closed && !status.equals("INACTIVE") && !status.endsWith("FAILED")) {
                look();
                int each = config.path("runtime").path("predict_concurrency").asInt(1);
                Optional<Replica> free = replicas.stream()
                        .filter(replica -> replica.isReady() && replica.inFlight < each)
                        .min((one, other) -> Integer.compare(one.inFlight, other.inFlight));
                if (free.isPresent()) {
                    return free.map(this::taken);
                }
                wake();
                if (policy.equals("REJECT_ON_FULL")) {
                    throw new Full();
                }
                if (System.nanoTime() > deadline) {
                    return Optional.empty();
                }
                @SuppressWarnings("unused") // closing is a reason to look again, and so is time
                boolean told = changed.await(LOOK.toNanos(), TimeUnit.NANOSECONDS);
            }
            return Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    private Lease taken(Replica replica) {
        replica.inFlight++;
        log.add("Replica " + replica.id + " takes a request");
        return new Lease(
                replica.server.uri(),
                () -> read(() -> {
                    replica.inFlight--;
                    replica.usedAt = System.nanoTime();
                    return replica;
                }));
    }

    ObjectNode json(boolean production) {
        return read(() -> {
            look();
            ObjectNode json = BasetenRoutes.JSON.createObjectNode();
            json.put("id", id).put("created_at", createdAt.toString()).put("name", name);
            json.put("model_id", modelId).put("is_production", production).put("is_development", false);
            json.put("status", status);
            json.put(
                    "active_replica_count",
                    replicas.stream().filter(Replica::isReady).count());
            json.set("autoscaling_settings", deployed && scaling != null ? scaling.deepCopy() : null);
            json.put("instance_type_name", machine);
            json.put("environment", production ? "production" : null);
            json.set("labels", labels.isObject() ? labels.deepCopy() : null);
            json.putNull("region");
            json.putObject("request_backpressure_settings").put("policy", policy);
            return json;
        });
    }

    ObjectNode logJson(int limit, boolean newestFirst) {
        return read(() -> {
            look();
            ObjectNode json = BasetenRoutes.JSON.createObjectNode();
            ArrayNode logs = json.putArray("logs");
            long first = createdAt.getEpochSecond() * 1_000_000_000L;
            for (int at = 0; at < Math.min(limit, log.size()); at++) {
                int line = newestFirst ? log.size() - 1 - at : at;
                logs.addObject()
                        .put("timestamp", Long.toString(first + line))
                        .put("message", log.get(line) + "\n")
                        .put("replica", "r" + replicasMade);
            }
            return json;
        });
    }

    private boolean stopReplicas() {
        replicas.forEach(replica -> replica.server.close());
        replicas.clear();
        changed.signalAll();
        return true;
    }

    @Override
    public void close() {
        read(() -> {
            closed = true;
            return stopReplicas();
        });
    }
}
