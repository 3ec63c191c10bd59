package dev.tuna.testkit.cloud.process;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tuna.api.Secret;
import dev.tuna.testkit.cloud.model.Machine;
import dev.tuna.testkit.cloud.model.MachineListener;
import dev.tuna.testkit.cloud.model.MachineSpec;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One child process. Thread-safe; what blocks runs on the pool. */
final class ProcessMachine implements Machine {

    private static final Logger LOG = LoggerFactory.getLogger(ProcessMachine.class);
    private static final JsonMapper JSON = new JsonMapper();
    private static final long GRACE_SECONDS = 10;
    private static final long PROBE_MILLIS = 100;
    private static final int QUOTED = 300;

    private final ServerCommand command;
    private final MachineSpec spec;
    private final MachineListener listener;
    private final ExecutorService pool;
    private final Consumer<ProcessMachine> over;
    private final ReentrantLock lock = new ReentrantLock();
    /** Guarded by lock. */
    private @Nullable Process process;
    /** Guarded by lock: somebody asked it to end, perhaps before it was started. */
    private boolean unwanted;

    private volatile @Nullable URI address;
    private volatile OptionalLong requests = OptionalLong.empty();
    private volatile String lastLine = "";

    ProcessMachine(
            ServerCommand command,
            MachineSpec spec,
            MachineListener listener,
            ExecutorService pool,
            Consumer<ProcessMachine> over) {
        this.command = command;
        this.spec = spec;
        this.listener = listener;
        this.pool = pool;
        this.over = over;
    }

    void start() {
        pool.execute(this::live);
    }

    /** From the start of the process to its end; the pool's thread is its reader. */
    private void live() {
        String why;
        try {
            ServerCommand.Launch launch = command.launch(spec);
            Process child = spawn(launch);
            if (child == null) {
                why = "stopped before it was started";
            } else {
                launch.address().ifPresent(uri -> pool.execute(() -> probe(child, uri)));
                read(child);
                why = child.waitFor() == 0 ? "exited" : "exited with status " + child.exitValue() + ": " + lastLine;
            }
        } catch (IOException | RuntimeException e) {
            why = "could not be started: " + e.getMessage();
            kill();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            why = "its owner was interrupted";
            kill();
        }
        LOG.debug("machine {}: {}", spec.id(), why);
        over.accept(this);
        listener.ended(why, requests);
    }

    private @Nullable Process spawn(ServerCommand.Launch launch) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(launch.words()).redirectErrorStream(true);
        builder.environment().remove("VLLM_API_KEY");
        Map<String, String> environment = new TreeMap<>();
        spec.environment().forEach((name, value) -> environment.put(name, value.reveal()));
        if (!launch.environmentOnStdin()) {
            builder.environment().putAll(environment);
        }
        lock.lock();
        try {
            if (unwanted) {
                return null;
            }
            Process child = builder.start();
            process = child;
            if (launch.environmentOnStdin()) {
                OutputStream input = child.getOutputStream();
                input.write((JSON.writeValueAsString(environment) + "\n").getBytes(StandardCharsets.UTF_8));
                input.flush();
            }
            return child;
        } finally {
            lock.unlock();
        }
    }

    private void read(Process child) throws IOException {
        try (BufferedReader output = child.inputReader(StandardCharsets.UTF_8)) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                LOG.debug("machine {}: {}", spec.id(), line);
                lastLine = redacted(line.length() > QUOTED ? line.substring(0, QUOTED) : line);
                command.addressIn(line).ifPresent(this::listening);
            }
        }
    }

    private String redacted(String line) {
        String clean = line;
        for (Secret secret : spec.environment().values()) {
            clean = clean.replace(secret.reveal(), "***");
        }
        return clean;
    }

    private void listening(URI where) {
        address = where;
        listener.listening(where);
    }

    private void probe(Process child, URI where) {
        try {
            while (child.isAlive()) {
                if (Loopback.get(where.resolve("/health")).isPresent()) {
                    listening(where);
                    return;
                }
                if (child.waitFor(PROBE_MILLIS, TimeUnit.MILLISECONDS)) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void stop() {
        whenStarted(child -> {
            count();
            child.destroy();
            try {
                if (!child.waitFor(GRACE_SECONDS, TimeUnit.SECONDS)) {
                    killTree(child);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                killTree(child);
            }
        });
    }

    @Override
    public void kill() {
        whenStarted(child -> {
            count();
            killTree(child);
        });
    }

    private void whenStarted(Consumer<Process> ending) {
        Process child = unwanted();
        if (child != null) {
            pool.execute(() -> ending.accept(child));
        }
    }

    /** Without looking back, for when the pool is about to be closed. */
    void killNow() {
        Process child = unwanted();
        if (child != null) {
            killTree(child);
        }
    }

    private @Nullable Process unwanted() {
        lock.lock();
        try {
            unwanted = true;
            return process;
        } finally {
            lock.unlock();
        }
    }

    /** A server's own children first: they would lose their parent and with it the link to us. */
    private static void killTree(Process child) {
        child.descendants().forEach(ProcessHandle::destroyForcibly);
        child.destroyForcibly();
    }

    private void count() {
        URI where = address;
        if (where != null && command instanceof StandInCommand) {
            Optional<String> stats = Loopback.get(where.resolve("/standin/stats"));
            stats.ifPresent(json -> requests = modelRequests(json));
        }
    }

    private static OptionalLong modelRequests(String stats) {
        try {
            JsonNode count = JSON.readTree(stats).path("modelRequests");
            return count.isNumber() ? OptionalLong.of(count.asLong()) : OptionalLong.empty();
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }

    @Override
    public OptionalLong requests() {
        count();
        return requests;
    }

    @Override
    public OptionalLong pid() {
        lock.lock();
        try {
            return process == null ? OptionalLong.empty() : OptionalLong.of(process.pid());
        } finally {
            lock.unlock();
        }
    }
}
