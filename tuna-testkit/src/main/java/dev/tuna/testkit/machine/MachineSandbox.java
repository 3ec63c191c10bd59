package dev.tuna.testkit.machine;

import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * A machine whose user data is run for real, unprivileged: shell, Python and OpenSSL are this machine's, while the commands
 * {@code docker} (which runs a model server stand-in), {@code shutdown}, {@code poweroff}, {@code mountpoint},
 * {@code nvidia-smi}, {@code systemctl}, {@code aws} and {@code dnf} (which brings this process's Java), and everything below the
 * root directory, are its own. Time passes as
 * it does here, and faster as told.
 *
 * <p>Commands that are in {@code bin} below the root before it boots stay as they are. Empty files in the root let things go
 * wrong: {@code no-docker} (it does not run), {@code no-image}, {@code slow-image} (cannot be pulled, or hangs),
 * {@code no-engine} (ends as soon as it starts), {@code no-s3}, {@code slow-s3}, {@code not-mounted} (the instance store is a
 * mere directory), {@code no-shutdown} (fails, so that {@code poweroff} is needed),
 * {@code no-packages} ({@code dnf} fails).
 *
 * <p>User data must keep to what is below {@code $TUNA_ROOT} and take {@code TUNA_PORT}, {@code TUNA_HOST},
 * {@code TUNA_ENGINE_PORT}, {@code TUNA_METADATA}, {@code TUNA_STORE}, {@code TUNA_SHUTDOWN}, {@code TUNA_POWEROFF} and
 * {@code TUNA_TEST_CLOCK} from its environment, leave
 * process ids in {@code run/tuna/*.pid}, and not wait for what it starts. Thread-safe.
 */
public final class MachineSandbox implements AutoCloseable {

    private static final List<String> COMMANDS =
            List.of("docker", "shutdown", "poweroff", "mountpoint", "nvidia-smi", "systemctl", "aws", "dnf", "java");
    private static final String AGENT = "run/tuna/agent.pid";
    private static final List<String> NEEDED = List.of("sh", "python3", "openssl");
    /** Whoever runs tests may have accounts; no machine has. */
    private static final List<String> OTHERS =
            List.of("TUNA_", "AWS_", "RUNPOD_", "BASETEN_", "MODAL_", "GOOGLE_", "CLOUDSDK_", "HF_");

    private static final int MOST_ROUNDS = 10;
    private static final Duration INSTALLED = Duration.ofSeconds(60);

    private final Path root;
    private final InetSocketAddress address;
    private final int enginePort;
    private final Map<String, String> environment = new HashMap<>();
    private final CompletableFuture<Void> off = new CompletableFuture<>();
    private Duration ahead = Duration.ZERO;

    private MachineSandbox(Path root, InetSocketAddress address, int enginePort) {
        this.root = root;
        this.address = address;
        this.enginePort = enginePort;
    }

    /**
     * Why machines cannot be run here.
     *
     * @return what is missing; empty if nothing is
     */
    public static Optional<String> missing() {
        if (!Files.isDirectory(Path.of("/proc/self"))) {
            return Optional.of("this is not Linux");
        }
        return NEEDED.stream()
                .filter(command -> find(command).isEmpty())
                .findFirst()
                .map(command -> "the command '" + command + "' is missing");
    }

    private static Optional<Path> find(String command) {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .map(directory -> Path.of(directory, command))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /**
     * Boots a machine: runs its user data to the end. What that has started goes on.
     *
     * @param root an empty directory, which is all the machine can see
     * @param userData as EC2 gets it, before Base64; may be compressed
     * @param metadata its metadata service, without path
     * @param engineArguments further arguments of the model server stand-in
     * @return the running machine
     * @throws IllegalStateException if its user data fails, with what that printed
     */
    public static MachineSandbox boot(Path root, byte[] userData, URI metadata, String... engineArguments) {
        return boot(
                root,
                userData,
                metadata,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), freePort()),
                engineArguments);
    }

    /**
     * Boots a machine that has an address of its own.
     *
     * @param root an empty directory, which is all the machine can see
     * @param userData as EC2 gets it, before Base64; may be compressed
     * @param metadata its metadata service, without path
     * @param address where its one open port is
     * @param engineArguments further arguments of the model server stand-in
     * @return the running machine
     * @throws IllegalStateException if its user data fails, with what that printed
     */
    public static MachineSandbox boot(
            Path root, byte[] userData, URI metadata, InetSocketAddress address, String... engineArguments) {
        return boot(root, userData, metadata, address, Map.of(), engineArguments);
    }

    /**
     * Boots a machine whose environment differs.
     *
     * @param root a directory which is all the machine can see
     * @param userData as EC2 gets it, before Base64; may be compressed
     * @param metadata its metadata service, without path
     * @param address where its one open port is
     * @param environment further variables of its user data, or others in place of its own
     * @param engineArguments further arguments of the model server stand-in
     * @return the running machine
     * @throws IllegalStateException if its user data fails, with what that printed
     */
    public static MachineSandbox boot(
            Path root,
            byte[] userData,
            URI metadata,
            InetSocketAddress address,
            Map<String, String> environment,
            String... engineArguments) {
        try {
            MachineSandbox machine = new MachineSandbox(root, address, freePort());
            machine.install(userData, metadata, Map.copyOf(environment), String.join(" ", engineArguments));
            return machine;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void install(byte[] userData, URI metadata, Map<String, String> further, String engineArguments)
            throws IOException {
        Path bin = Files.createDirectories(root.resolve("bin"));
        for (String command : COMMANDS) {
            Path file = bin.resolve(command);
            if (Files.exists(file)) {
                continue;
            }
            try (InputStream in = MachineSandbox.class.getResourceAsStream(command)) {
                Files.write(file, in == null ? new byte[0] : in.readAllBytes());
            }
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
        }
        Path script = Files.write(root.resolve("user-data"), unpacked(userData));
        tellTime();
        environment.putAll(System.getenv());
        environment.keySet().removeIf(name -> OTHERS.stream().anyMatch(name::startsWith));
        environment.put("HOME", root.toString());
        environment.put("PATH", bin + File.pathSeparator + environment.getOrDefault("PATH", "/usr/bin:/bin"));
        environment.put("TUNA_ROOT", root.toString());
        environment.put("TUNA_HOST", address.getHostString());
        environment.put("TUNA_PORT", Integer.toString(address.getPort()));
        environment.put("TUNA_ENGINE_PORT", Integer.toString(enginePort));
        environment.put("TUNA_METADATA", metadata.toString());
        // What runs there finds the role of its machine, and nobody's account of this machine.
        environment.put("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.toString());
        environment.put("AWS_CONFIG_FILE", root.resolve("none").toString());
        environment.put("AWS_SHARED_CREDENTIALS_FILE", root.resolve("none").toString());
        environment.put("TUNA_TEST_CLOCK", root.resolve("clock").toString());
        environment.put("TUNA_STORE", root.resolve("nvme").toString());
        environment.put("TUNA_POLL", "0.2");
        environment.put("TUNA_GUARD", "0.5");
        environment.put("TUNA_PAUSES", "0.1 0.1 0.1 0");
        environment.put("TUNA_WAIT", "0.1");
        environment.put("TUNA_OFF", "1");
        // By its path: were the root gone, the name alone would mean this machine's own.
        environment.put("TUNA_SHUTDOWN", bin.resolve("shutdown") + " -h now");
        environment.put("TUNA_POWEROFF", bin.resolve("poweroff") + " -ff");
        environment.put(
                "STANDIN_JAVA",
                Path.of(System.getProperty("java.home"), "bin", "java").toString());
        environment.put("STANDIN_CLASSPATH", System.getProperty("java.class.path"));
        environment.put("STANDIN_ARGUMENTS", engineArguments);
        environment.putAll(further);
        execute("the user data", script);
    }

    private void execute(String what, Path script, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("sh", script.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(root.resolve("console").toFile()));
        builder.environment().clear();
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            if (!process.waitFor(INSTALLED.toSeconds(), TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                close();
                throw new IllegalStateException(what + " fails: " + console());
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while a machine boots", e);
        }
        pid(AGENT).ifPresent(this::follow);
    }

    /**
     * Boots it again, all at once: nothing that ran runs on, {@code /run} is empty, and {@code boot.sh start} stands in for
     * what the system starts. Only what was written for such a machine can do that.
     *
     * @throws IllegalStateException if that fails, with what it printed
     */
    public void reboot() {
        close();
        try {
            try (Stream<Path> files = Files.walk(root.resolve("run"))) {
                files.sorted(Comparator.reverseOrder()).forEach(MachineSandbox::delete);
            }
            execute("the boot", root.resolve("var/lib/tuna/boot.sh"), "start");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void follow(ProcessHandle agent) {
        var unused = agent.onExit().thenRun(() -> {
            if (isOff()) {
                off.complete(null);
            }
        });
    }

    private static byte[] unpacked(byte[] userData) throws IOException {
        if (userData.length < 2 || userData[0] != 0x1f || userData[1] != (byte) 0x8b) {
            return userData;
        }
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(userData))) {
            return in.readAllBytes();
        }
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Where its one open port is.
     *
     * @return a loopback address
     */
    public InetSocketAddress address() {
        return address;
    }

    /**
     * Where its engine listens, which on a real machine nobody else can reach.
     *
     * @return {@code http://127.0.0.1:port}
     */
    public URI engine() {
        return URI.create("http://127.0.0.1:" + enginePort);
    }

    /**
     * All that it can see.
     *
     * @return the root directory
     */
    public Path root() {
        return root;
    }

    /**
     * Completes once it has shut itself down.
     *
     * @return a future of one's own
     */
    public CompletableFuture<Void> off() {
        return off.copy();
    }

    /**
     * Whether it has shut itself down.
     *
     * @return false while it runs
     */
    public boolean isOff() {
        return Files.exists(root.resolve("off"));
    }

    /**
     * Lets time pass at once, for the machine alone.
     *
     * @param time how much
     */
    public synchronized void pass(Duration time) {
        ahead = ahead.plus(time);
        tellTime();
    }

    private synchronized void tellTime() {
        try {
            Path next = Files.writeString(root.resolve("clock.new"), Long.toString(ahead.toSeconds()));
            Files.move(next, root.resolve("clock"), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Every one of its own commands that was called, with its arguments.
     *
     * @return one line each, in order
     */
    public List<String> commands() {
        return text("commands").lines().toList();
    }

    /**
     * What user data has printed.
     *
     * @return all of it
     */
    public String console() {
        return text("console");
    }

    /**
     * A file as text.
     *
     * @param path below the root
     * @return its content; empty if there is no such file
     */
    public String text(String path) {
        try {
            Path file = root.resolve(path);
            return Files.exists(file) ? Files.readString(file, StandardCharsets.ISO_8859_1) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * What runs on it: what its user data has left running, and the engine.
     *
     * @return live processes
     */
    public List<ProcessHandle> processes() {
        return ProcessHandle.allProcesses().filter(this::isHere).toList();
    }

    /** Whatever was started on the machine has been told its root. */
    private boolean isHere(ProcessHandle process) {
        try {
            String told = Files.readString(
                    Path.of("/proc", Long.toString(process.pid()), "environ"), StandardCharsets.ISO_8859_1);
            return ("\0" + told).contains("\0TUNA_ROOT=" + root + "\0");
        } catch (IOException e) {
            return false; // it has ended, or is somebody else's
        }
    }

    private Optional<ProcessHandle> pid(String file) {
        String told = text(file).strip();
        return told.isEmpty() ? Optional.empty() : ProcessHandle.of(Long.parseLong(told));
    }

    /** Takes it away without notice, as its cloud may. May be called twice. */
    @Override
    public void close() {
        List<ProcessHandle> left = processes();
        // What follows the engine may be starting another one.
        for (int round = 0; !left.isEmpty() && round < MOST_ROUNDS; round++) {
            left.forEach(ProcessHandle::destroyForcibly);
            left.forEach(process -> process.onExit()
                    .completeOnTimeout(process, 10, TimeUnit.SECONDS)
                    .join());
            left = processes();
        }
    }
}
