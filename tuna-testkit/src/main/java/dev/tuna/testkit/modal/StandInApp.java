package dev.tuna.testkit.modal;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
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

/** An app, its versions and its containers. What time has done to the containers is worked out whenever somebody looks. Thread-safe. */
final class StandInApp implements AutoCloseable {

    static final String INITIALIZING = "initializing...";
    static final String DEPLOYED = "deployed";
    static final String STOPPING = "stopping...";
    static final String STOPPED = "stopped";

    private static final Duration LOOK = Duration.ofMillis(5);

    private final String id;
    private final String name;
    private final Duration bootTime;
    private final Duration stopTime;
    private final Instant createdAt = Instant.now();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // All guarded by lock:
    private final List<Version> versions = new ArrayList<>();
    private final List<Container> containers = new ArrayList<>();
    private final List<Line> log = new ArrayList<>();
    private int made;
    private String state = INITIALIZING;
    private long stoppingSince;
    private @Nullable Instant stoppedAt;
    private boolean broken;

    StandInApp(String id, String name, Duration bootTime, Duration stopTime) {
        this.id = id;
        this.name = name;
        this.bootTime = bootTime;
        this.stopTime = stopTime;
    }

    /**
     * A version.
     *
     * @param number 1 for the first
     * @param tag its tag
     * @param plan what the script says
     * @param secrets what its containers have in their environment
     * @param at when it was deployed
     */
    record Version(int number, String tag, JsonNode plan, Map<String, String> secrets, Instant at) {

        int setting(String name, int otherwise) {
            return plan.path("function").path(name).asInt(otherwise);
        }
    }

    /** Something that a container has written. */
    record Line(Instant at, String container, String text) {}

    /** Confined to its app's lock. */
    private static final class Container {
        final Version version;
        final String id;
        final long begun = System.nanoTime();
        long usedAt = begun;
        int inFlight;
        boolean failed;

        @Nullable
        VllmStandIn engine;

        Container(Version version, String id) {
            this.version = version;
            this.id = id;
        }

        void stop() {
            if (engine != null) {
                engine.close();
            }
        }
    }

    /** A container that serves a request. */
    record Lease(URI engine, Runnable release) {}

    String id() {
        return id;
    }

    String name() {
        return name;
    }

    Instant createdAt() {
        return createdAt;
    }

    private <T> T read(Supplier<T> reading) {
        lock.lock();
        try {
            look();
            return reading.get();
        } finally {
            lock.unlock();
        }
    }

    String state() {
        return read(() -> state);
    }

    Optional<Instant> stoppedAt() {
        return read(() -> Optional.ofNullable(stoppedAt));
    }

    int containers() {
        return read(containers::size);
    }

    List<Version> versions() {
        return read(() -> List.copyOf(versions));
    }

    private String containerId() {
        return "ta-" + id.substring(3) + ++made;
    }

    private void write(Container container, String text) {
        log.add(new Line(Instant.now(), container.id, text));
    }

    List<Line> log() {
        return read(() -> List.copyOf(log));
    }

    /** Whether it is there under its name. */
    boolean isLive() {
        return read(() -> state.equals(DEPLOYED) || state.equals(INITIALIZING));
    }

    void publish(String tag, JsonNode plan, Map<String, String> secrets) {
        read(() -> {
            versions.add(new Version(versions.size() + 1, tag, plan, Map.copyOf(secrets), Instant.now()));
            state = DEPLOYED;
            look();
            return state;
        });
    }

    void stop() {
        read(() -> {
            state = STOPPING;
            stoppingSince = System.nanoTime();
            look();
            return state;
        });
    }

    /** Lets its engines fail at their start, or no longer. */
    void broken(boolean now) {
        read(() -> {
            broken = now;
            containers.forEach(Container::stop);
            containers.clear();
            return now;
        });
    }

    /** Brings the containers to where time has taken them. */
    private void look() {
        long now = System.nanoTime();
        if (state.equals(STOPPING) && now - stoppingSince >= stopTime.toNanos()) {
            state = STOPPED;
            stoppedAt = Instant.now();
            containers.forEach(Container::stop);
            containers.clear();
            changed.signalAll();
        }
        if (!state.equals(DEPLOYED)) {
            return;
        }
        Version newest = versions.get(versions.size() - 1);
        containers.removeIf(container -> isSpare(container, newest, now));
        while (containers.size() < newest.setting("min_containers", 0)) {
            containers.add(new Container(newest, containerId()));
        }
        containers.forEach(container -> advance(container, now));
    }

    private boolean isSpare(Container container, Version newest, long now) {
        long window = TimeUnit.SECONDS.toNanos(container.version.setting("scaledown_window", 60));
        boolean idle = container.engine != null && now - container.usedAt > window;
        boolean old = container.version.number() != newest.number();
        boolean spare = container.inFlight == 0
                && (old || (idle && containers.size() > newest.setting("min_containers", 0)) || container.failed);
        if (spare) {
            container.stop();
        }
        return spare;
    }

    private void advance(Container container, long now) {
        if (container.engine != null || container.failed || now - container.begun < bootTime.toNanos()) {
            return;
        }
        write(container, "INFO Starting to load model");
        try {
            if (broken) {
                throw new IllegalArgumentException("CUDA out of memory");
            }
            container.engine = engine(container.version);
            container.usedAt = now;
            write(container, "INFO:     Application startup complete.");
        } catch (IllegalArgumentException e) {
            container.failed = true;
            write(container, "ValueError: " + e.getMessage());
            write(container, "RuntimeError: the engine ended with status 1 before it served");
        }
        changed.signalAll();
    }

    private static VllmStandIn engine(Version version) {
        List<String> words = new ArrayList<>();
        version.plan().path("command").forEach(word -> words.add(word.asText()));
        if (words.isEmpty() || !words.get(0).equals("vllm")) {
            throw new IllegalArgumentException("there is no program '" + words + "'");
        }
        return VllmStandIn.forCommandLine(words.subList(1, words.size()), new HashMap<>(version.secrets()))
                .host("127.0.0.1")
                .port(0)
                .start();
    }

    /** How a request fared that waited for a container. */
    enum Ending {
        /** None was ready in time. */
        PENDING,
        /** One was started, and failed. */
        FAILED,
        /** The app is not there any more. */
        GONE
    }

    /** What came of waiting: a container, or why there is none. */
    record Outcome(Optional<Lease> lease, Ending ending) {}

    /** Waits for a container, and starts one if there is none to come. */
    Outcome lease(Duration limit) throws InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        boolean started = false;
        lock.lock();
        try {
            while (true) {
                look();
                if (!state.equals(DEPLOYED)) {
                    return new Outcome(Optional.empty(), Ending.GONE);
                }
                Version newest = versions.get(versions.size() - 1);
                Optional<Container> free = containers.stream()
                        .filter(each -> each.engine != null && each.version.number() == newest.number())
                        .min((one, other) -> Integer.compare(one.inFlight, other.inFlight));
                if (free.isPresent()) {
                    return new Outcome(free.map(this::taken), Ending.PENDING);
                }
                boolean coming =
                        containers.stream().anyMatch(each -> !each.failed && each.version.number() == newest.number());
                if (!coming && started) {
                    return new Outcome(Optional.empty(), Ending.FAILED);
                }
                if (!coming) {
                    containers.add(new Container(newest, containerId()));
                }
                started = true;
                if (System.nanoTime() - deadline > 0) {
                    return new Outcome(Optional.empty(), Ending.PENDING);
                }
                @SuppressWarnings("unused") // a change is a reason to look again, and so is time
                boolean told = changed.await(LOOK.toNanos(), TimeUnit.NANOSECONDS);
            }
        } finally {
            lock.unlock();
        }
    }

    private Lease taken(Container container) {
        container.inFlight++;
        VllmStandIn engine = container.engine;
        if (engine == null) {
            throw new IllegalStateException("a container without an engine was taken");
        }
        return new Lease(
                engine.uri(),
                () -> read(() -> {
                    container.inFlight--;
                    container.usedAt = System.nanoTime();
                    return container;
                }));
    }

    @Override
    public void close() {
        lock.lock();
        try {
            state = STOPPED;
            containers.forEach(Container::stop);
            containers.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
