package dev.tuna.spot.aws.channel;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tuna.api.Secret;
import dev.tuna.testkit.contract.InMemorySecretStore;
import dev.tuna.testkit.machine.LiveFiles;
import dev.tuna.testkit.machine.MachineSandbox;
import dev.tuna.testkit.secret.SecretSearch;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** One replica on a machine of its own, and the host's end of its channel; closed as one. */
final class Rig implements AutoCloseable {

    static final String DEPLOYMENT = "tuna-1a2b3c4d";
    static final String REPLICA = "r-1";
    static final String MODEL = "stand-in/tiny";
    static final Duration ORPHAN = Duration.ofMinutes(15);
    static final Secret ENGINE_KEY = Secret.of("engine-key-0123456789abcdef");
    static final Secret HUB_TOKEN = Secret.of("hf_planted0123456789abcdef");

    private static final Set<PosixFilePermission> PRIVATE = PosixFilePermissions.fromString("rwx------");
    private static final Duration DEADLINE = Duration.ofSeconds(90);
    private static final ChannelTimes TIMES =
            new ChannelTimes(Duration.ofSeconds(10), Duration.ofSeconds(30), System::nanoTime);

    final InMemorySecretStore secrets = new InMemorySecretStore();
    final DeploymentTrust trust = new DeploymentTrust(secrets, DEPLOYMENT, InstantSource.system());
    final FakeMetadata metadata;
    final Secret token = trust.token(REPLICA);
    final MachineSandbox machine;
    final ReplicaChannel channel;

    /** How long the agent's log was when the test began. */
    private int mark;

    Rig(Path root) throws IOException {
        this(root, Optional.empty());
    }

    Rig(Path root, Optional<String> modelCache, String... engineArguments) throws IOException {
        this(root, modelCache, Map.of(), engineArguments);
    }

    Rig(Path root, Optional<String> modelCache, Map<String, String> environment, String... engineArguments)
            throws IOException {
        MachineSandbox.missing().ifPresent(missing -> System.err.println("skipped: " + missing));
        assumeTrue(
                MachineSandbox.missing().isEmpty(),
                () -> MachineSandbox.missing().orElse(""));
        metadata = new FakeMetadata();
        machine = MachineSandbox.boot(
                root,
                UserData.of(boot(modelCache)).bytes(),
                metadata.uri(),
                new InetSocketAddress(InetAddress.getLoopbackAddress(), freePort()),
                environment,
                engineArguments);
        channel = channel(trust, REPLICA);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    ReplicaBoot boot(Optional<String> modelCache) {
        return new ReplicaBoot(
                REPLICA,
                8443,
                ORPHAN,
                "vllm/vllm-openai:v0.31.0",
                List.of(MODEL, "--host", "0.0.0.0", "--port", "8000", "--served-model-name", MODEL),
                modelCache,
                trust.certificate(),
                token);
    }

    /** The host's end as somebody else may hold it. */
    ReplicaChannel channel(DeploymentTrust trust, String replica) {
        return new ReplicaChannel(
                trust,
                replica,
                machine.address(),
                () -> Map.of("VLLM_API_KEY", ENGINE_KEY, "HF_TOKEN", HUB_TOKEN),
                TIMES);
    }

    /** Looks until what is seen fits; a machine that boots does not answer at first. */
    ReplicaReport seen(String what, Predicate<ReplicaReport> fits) {
        return until(what, () -> {
            try {
                return Optional.of(channel.look()).filter(fits);
            } catch (UntrustedReplicaException e) {
                throw e;
            } catch (IOException e) {
                return Optional.empty();
            }
        });
    }

    ReplicaReport ready() {
        return seen("ready", report -> report.phase() == ReplicaReport.Phase.READY);
    }

    /** Ends the agent as a fault would. */
    void killAgent() throws IOException {
        ProcessHandle agent = ProcessHandle.of(
                        Long.parseLong(Files.readString(agentPid()).strip()))
                .orElseThrow();
        agent.destroyForcibly();
        agent.onExit().join();
    }

    private Path agentPid() {
        return machine.root().resolve("run/tuna/agent.pid");
    }

    /** Ends the agent as a fault would, and starts it again as the machine's service manager would. */
    void restartAgent() throws IOException {
        killAgent();
        startAgent();
    }

    /** What the agent knew is gone from memory, and it is another one. */
    void reboot() throws IOException {
        killAgent();
        Files.deleteIfExists(machine.root().resolve("run/tuna/contact"));
        startAgent();
    }

    private void startAgent() throws IOException {
        Path directory = machine.root().resolve("var/lib/tuna");
        ProcessBuilder again = new ProcessBuilder(
                        "python3", directory.resolve("agent.py").toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve("agent.log").toFile()));
        for (String line : Files.readAllLines(directory.resolve("agent.env"))) {
            again.environment().put(line.substring(0, line.indexOf('=')), line.substring(line.indexOf('=') + 1));
        }
        again.environment().put("TUNA_ROOT", machine.root().toString());
        again.environment().put("TUNA_HOST", machine.address().getHostString());
        again.environment().put("TUNA_METADATA", metadata.uri().toString());
        again.environment()
                .put("TUNA_TEST_CLOCK", machine.root().resolve("clock").toString());
        again.environment().put("TUNA_SHUTDOWN", machine.root().resolve("bin/shutdown") + " -h now");
        again.environment().put("TUNA_POWEROFF", machine.root().resolve("bin/poweroff") + " -ff");
        Files.writeString(agentPid(), Long.toString(again.start().pid()));
    }

    /** What was logged before does not count for {@link #logged}; and the agent's log has room for what is to come. */
    void mark() throws IOException {
        Duration before = channel.look().uptime();
        Duration full = Duration.ofSeconds(11);
        machine.pass(full);
        seen("that time has passed", report -> report.uptime().compareTo(before.plus(full)) >= 0);
        mark = log().length();
    }

    /** Waits for a text in the agent's log behind the mark. */
    void logged(String text) {
        logged("'" + text + "'", log -> log.contains(text));
    }

    void logged(String what, Predicate<String> fits) {
        until(
                what + " in the agent's log",
                () -> Optional.of(log().substring(mark)).filter(fits));
    }

    /** Waits until the agent has acted upon what time it is now, whether anybody speaks to it or not. */
    void swept() {
        Path alive = machine.root().resolve("run/tuna/alive");
        FileTime now = FileTime.from(Instant.now());
        until("a sweep", () -> Optional.of(Files.getLastModifiedTime(alive)).filter(at -> at.compareTo(now) > 0));
    }

    String log() {
        return machine.text("var/lib/tuna/agent.log");
    }

    <T> T until(String what, Callable<Optional<T>> look) {
        long end = System.nanoTime() + DEADLINE.toNanos();
        while (System.nanoTime() - end < 0) {
            try {
                Optional<T> found = look.call();
                if (found.isPresent()) {
                    return found.get();
                }
            } catch (Exception e) {
                throw new AssertionError("waiting for " + what + "; " + story(), e);
            }
            LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
        }
        throw new AssertionError("waited in vain for " + what + "; " + story());
    }

    private String story() {
        return "agent:\n" + log() + "\nboot:\n" + machine.text("var/lib/tuna/boot.log") + "\ncommands:\n"
                + String.join("\n", machine.commands()) + "\nengine:\n" + machine.text("docker/log");
    }

    /** Where secrets are though they may not be: command lines, logs, world-readable files. */
    List<String> leaks() throws IOException {
        SecretSearch search = new SecretSearch();
        search.add("engine key", ENGINE_KEY.reveal());
        search.add("hub token", HUB_TOKEN.reveal());
        machine.processes().forEach(search::commandLines);
        search.text("console", machine.console());
        search.text("agent's log", log());
        search.text("boot log", machine.text("var/lib/tuna/boot.log"));
        search.lines("commands", machine.commands());
        search.text("engine's log", machine.text("docker/log"));
        search.add("token", token.reveal());
        search.text("agent's log", log());
        search.text("console", machine.console());
        machine.processes().forEach(search::commandLines);
        Stream<String> open = readableByOthers().map(file -> "others can read " + file);
        return Stream.concat(search.hits().stream(), open).toList();
    }

    private Stream<Path> readableByOthers() {
        return Stream.of("var", "run")
                .flatMap(directory -> LiveFiles.under(machine.root().resolve(directory)).stream())
                .filter(file -> LiveFiles.permissions(file)
                        .filter(permissions -> !PRIVATE.containsAll(permissions))
                        .isPresent());
    }

    @Override
    public void close() {
        channel.close();
        machine.close();
        metadata.close();
    }
}
