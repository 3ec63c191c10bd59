package dev.tuna.testkit.runpod;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.testkit.runpod.RunPodStandIn.Trouble;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** An endpoint and its workers. What time has done to the workers is worked out whenever somebody looks. Thread-safe. */
final class StandInEndpoint implements AutoCloseable {

    private static final Duration LOOK = Duration.ofMillis(5);

    private final String id;
    private final Duration bootTime;
    private final URI account;
    private final Instant createdAt = Instant.now().truncatedTo(ChronoUnit.MILLIS);
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // All guarded by lock:
    private final ObjectNode settings;
    private final List<Worker> workers = new ArrayList<>();
    private Trouble trouble = Trouble.NONE;
    private int workersMade;
    private int version = 1;
    private boolean closed;

    StandInEndpoint(String id, ObjectNode settings, Duration bootTime, URI account) {
        this.id = id;
        this.settings = settings;
        this.bootTime = bootTime;
        this.account = account;
        look();
    }

    /** Confined to its endpoint's lock. */
    private static final class Worker {
        final String id;
        final int version;
        final long begun = System.nanoTime();
        long usedAt = System.nanoTime();
        int inFlight;
        String status = "INITIALIZING";
        boolean runs;

        final WorkerLog log = new WorkerLog();

        @Nullable
        VllmStandIn server;

        Worker(String id, int version) {
            this.id = id;
            this.version = version;
            log.system("create container");
        }

        /** The container runs from here on. */
        void run(String command) {
            if (!runs) {
                runs = true;
                log.system("start container");
                log.container("Starting vLLM: " + command);
            }
        }

        boolean ready() {
            return server != null && (status.equals("IDLE") || status.equals("RUNNING"));
        }

        void stop() {
            if (server != null) {
                server.close();
            }
        }
    }

    /** A worker that serves a request. */
    record Lease(String worker, URI server, Runnable release) {}

    String id() {
        return id;
    }

    String name() {
        return read(() -> settings.path("name").asText());
    }

    boolean isQueue() {
        return read(this::isQueueType);
    }

    private boolean isBroken() {
        return !workers.isEmpty() && workers.stream().allMatch(worker -> worker.status.equals("UNHEALTHY"));
    }

    int max() {
        return read(() -> settings.path("workers").path("max").asInt());
    }

    int workers() {
        return read(() -> {
            look();
            return workers.size();
        });
    }

    void limit(int max) {
        read(() -> {
            ((ObjectNode) settings.path("workers")).put("max", max);
            look();
            return max;
        });
    }

    void trouble(Trouble now) {
        read(() -> {
            trouble = now;
            workers.forEach(Worker::stop);
            workers.clear();
            look();
            return now;
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

    /** Brings the workers to where time has taken them. */
    private void look() {
        long now = System.nanoTime();
        int min = settings.path("workers").path("min").asInt();
        int most = settings.path("workers").path("max").asInt();
        Duration idle =
                Duration.ofSeconds(settings.path("workers").path("idleTimeout").asInt(10));
        workers.removeIf(worker -> {
            boolean spare = worker.inFlight == 0
                    && (workers.size() > most
                            || (worker.ready() && workers.size() > min && now - worker.usedAt > idle.toNanos()));
            if (spare) {
                worker.stop();
            }
            return spare;
        });
        while (workers.size() < Math.min(min, most) && !closed) {
            start();
        }
        workers.forEach(worker -> advance(worker, now));
    }

    private void start() {
        workers.add(new Worker(id + "-w" + ++workersMade, version));
    }

    private void advance(Worker worker, long now) {
        long age = now - worker.begun;
        if (trouble == Trouble.NO_MACHINE) {
            worker.status = "THROTTLED";
        } else if (trouble == Trouble.STUCK || age < bootTime.toNanos() / 2) {
            worker.status = "INITIALIZING";
        } else if (trouble == Trouble.CRASHING) {
            worker.status = "UNHEALTHY";
        } else if (age < bootTime.toNanos()) {
            worker.run(command());
        } else if (worker.server == null && !worker.status.equals("UNHEALTHY")) {
            worker.run(command());
            boot(worker);
        } else if (worker.server != null) {
            worker.status = worker.inFlight > 0 ? "RUNNING" : "IDLE";
        }
    }

    private void boot(Worker worker) {
        try {
            worker.server = engine();
            worker.log.container("Application startup complete.");
            worker.status = "IDLE";
            worker.usedAt = System.nanoTime();
        } catch (IllegalArgumentException e) {
            // As a container whose command vLLM refuses: it exits, is started again, exits.
            worker.log.container(String.valueOf(e.getMessage()));
            worker.status = "UNHEALTHY";
        }
    }

    /** As the container prints it: RunPod's worker turns its token into an argument. */
    private String command() {
        String token = settings.path("env").path("HF_TOKEN").asText("");
        return settings.path("args").asText(isQueueType() && !token.isEmpty() ? "--hf-token " + token : "");
    }

    private boolean isQueueType() {
        return settings.path("type").asText().equals("QUEUE");
    }

    private VllmStandIn engine() {
        JsonNode env = settings.path("env");
        if (isQueueType()) {
            String model = env.path("MODEL_NAME").asText();
            return VllmStandIn.builder()
                    .model(model)
                    .servedModelNames(
                            env.path("OPENAI_SERVED_MODEL_NAME_OVERRIDE").asText(model))
                    .maxModelLen(env.path("MAX_MODEL_LEN").asInt(4096))
                    .start();
        }
        List<String> command = new ArrayList<>(List.of("serve"));
        command.addAll(Arrays.asList(settings.path("args").asText().split(" ")));
        return VllmStandIn.forCommandLine(command, Map.of()).port(0).start();
    }

    /**
     * A worker for a request, once there is one.
     *
     * @param limit how long to wait for it
     * @return empty if there was none in time, or the endpoint was deleted
     */
    Optional<Lease> lease(Duration limit) throws InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        lock.lock();
        try {
            while (!closed) {
                look();
                Optional<Worker> free = workers.stream()
                        .filter(Worker::ready)
                        .min((one, other) -> Integer.compare(one.inFlight, other.inFlight));
                if (free.isPresent()) {
                    return free.map(this::taken);
                }
                if (workers.isEmpty() && max() > 0) {
                    start();
                }
                // A queue's worker whose engine cannot start stays up and says so to every request.
                if (System.nanoTime() > deadline || (isQueueType() && isBroken())) {
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

    private Lease taken(Worker worker) {
        worker.inFlight++;
        worker.log.container("POST /v1/chat/completions HTTP/1.1");
        worker.status = "RUNNING";
        VllmStandIn server = worker.server;
        return new Lease(
                worker.id,
                server == null ? account : server.uri(),
                () -> read(() -> {
                    worker.inFlight--;
                    worker.usedAt = System.nanoTime();
                    return worker;
                }));
    }

    void update(ObjectNode changes) {
        read(() -> {
            boolean release = changes.has("image") || changes.has("args") || changes.has("env");
            changes.properties().forEach(field -> change(field.getKey(), field.getValue()));
            version += release ? 1 : 0;
            look();
            return version;
        });
    }

    /** Blocks are merged, but for the exclusions, which go with the pools they belong to. */
    private void change(String field, JsonNode value) {
        if (value instanceof ObjectNode block
                && !field.equals("env")
                && settings.path(field) instanceof ObjectNode before) {
            if (block.has("pools") && !block.has("excludedTypes")) {
                before.remove("excludedTypes");
            }
            if (field.equals("scaling")) {
                before.removeAll();
            }
            block.properties().forEach(each -> before.set(each.getKey(), each.getValue()));
        } else {
            settings.set(field, value);
        }
    }

    ObjectNode json() {
        return read(() -> {
            ObjectNode json = settings.deepCopy();
            json.put("id", id);
            json.put("createdAt", createdAt.toString());
            defaults(json);
            ObjectNode urls = json.putObject("requestUrls");
            if (isQueueType()) {
                String base = account + "/v2/" + id + "/";
                urls.put("run", base + "run").put("runSync", base + "runsync").put("status", base + "status/job_id");
                urls.put("stream", base + "stream/job_id").put("cancel", base + "cancel/job_id");
                urls.put("retry", base + "retry/job_id").put("purgeQueue", base + "purge-queue");
                urls.put("health", base + "health");
            } else {
                urls.put("base", account + "/lb/" + id).put("health", account + "/lb/" + id + "/ping");
            }
            return json;
        });
    }

    private static void defaults(ObjectNode json) {
        if (json.path("gpu") instanceof ObjectNode gpu) {
            if (!gpu.has("allowedCudaVersions")) {
                gpu.putArray("allowedCudaVersions");
            }
            if (!gpu.has("minCudaVersion")) {
                gpu.putNull("minCudaVersion");
            }
        }
        for (String list : List.of("dataCenterIds", "networkVolumes")) {
            if (!json.has(list)) {
                json.putArray(list);
            }
        }
        if (!json.has("registry")) {
            json.putNull("registry");
        }
        if (!json.has("flashboot")) {
            json.put("flashboot", "OFF");
        }
        if (!json.has("timeout")) {
            json.put("timeout", 0);
        }
    }

    ObjectNode workersJson() {
        return read(() -> {
            look();
            ObjectNode json = RunPodRoutes.JSON.createObjectNode();
            json.put("endpointVersion", version);
            ObjectNode summary = json.putObject("summary");
            for (String status : List.of("RUNNING", "IDLE", "INITIALIZING", "THROTTLED", "UNHEALTHY")) {
                summary.put(
                        status.toLowerCase(Locale.ROOT),
                        workers.stream()
                                .filter(worker -> worker.status.equals(status))
                                .count());
            }
            summary.put("total", workers.size());
            ArrayNode listed = json.putArray("workers");
            workers.forEach(worker -> add(listed.addObject(), worker));
            return json;
        });
    }

    void write(String line) {
        read(() -> {
            workers.forEach(worker -> worker.log.container(line));
            return line;
        });
    }

    /** What a worker has written, as an event stream; empty if there is no such worker. */
    Optional<String> log(String workerId, int tail, String source) {
        return read(() -> {
            look();
            return workers.stream()
                    .filter(worker -> worker.id.equals(workerId))
                    .findFirst()
                    .map(worker -> worker.log.events(tail, source));
        });
    }

    private void add(ObjectNode json, Worker worker) {
        json.put("id", worker.id).put("status", worker.status).put("isStale", worker.version != version);
        json.put("version", worker.version).put("image", settings.path("image").asText());
        json.put("gpuCount", settings.path("gpu").path("count").asInt(1));
        if (worker.runs) {
            Duration up = Duration.ofNanos(System.nanoTime() - worker.begun);
            json.put("uptimeSeconds", up.toSeconds());
            json.put(
                    "startedAt",
                    Instant.now().minus(up).truncatedTo(ChronoUnit.SECONDS).toString());
        } else {
            json.putNull("uptimeSeconds").putNull("startedAt");
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            workers.forEach(Worker::stop);
            workers.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
