package dev.tuna.testkit.cloud.plugin;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.FoundRouterVm;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterCloud;
import dev.tuna.spi.RouterVmObservation;
import dev.tuna.spi.RouterVmPlan;
import dev.tuna.spi.RouterVmSpec;
import dev.tuna.testkit.cloud.model.CloudJson;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Machines for routers on this machine: a directory, a supervisor and the program in it, all of which outlive whoever made
 * them. The setting {@code router_dir} says where. Thread-safe; needs {@code /bin/sh}.
 */
final class LocalRouterCloud implements RouterCloud {

    private static final String KIND = "router-vm";
    private static final BigDecimal USD_PER_HOUR = new BigDecimal("0.04");
    private static final int HEALTH_MILLIS = 1000;
    private static final Duration BOOT_LIMIT = Duration.ofMinutes(3);

    private final ProviderContext context;
    private final String provider;
    private final Path root;

    LocalRouterCloud(ProviderContext context, String provider) {
        this.context = context;
        this.provider = provider;
        String said = context.settings().getOrDefault("router_dir", "");
        this.root = said.isEmpty()
                ? Path.of(System.getProperty("java.io.tmpdir"), "tuna-router-vms-" + System.getProperty("user.name"))
                : Path.of(said);
    }

    /** What is stored of a machine, and says who made it. */
    private record Deed(
            String name, String owner, String token, int control, int port, String jar, Duration orphanTimeout) {}

    @Override
    public RouterVmPlan plan(RouterVmSpec spec, String token) {
        if (!"file".equals(spec.jar().getScheme())) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST, "the local cloud runs routers from a file, and not from " + spec.jar());
        }
        return new RouterVmPlan(
                spec.name(),
                token,
                "Router VM " + spec.name() + ": a process on this machine, clients at port " + spec.port(),
                "process",
                "local-1",
                Optional.of(USD_PER_HOUR),
                CloudJson.write(new Deed(
                        spec.name(),
                        context.ownerId(),
                        token,
                        0,
                        spec.port(),
                        spec.jar().toString(),
                        spec.orphanTimeout())));
    }

    @Override
    public ResourceRef launch(RouterVmPlan plan) {
        Path machine = machine(plan.token());
        if (!Files.exists(machine.resolve("deed.json"))) {
            try {
                make(machine, CloudJson.read(plan.body(), Deed.class));
            } catch (IOException e) {
                throw new UncheckedIOException("cannot make " + machine, e);
            }
        }
        return new ResourceRef(provider, KIND, plan.token());
    }

    private void make(Path machine, Deed asked) throws IOException {
        Files.createDirectories(
                machine.resolve("dir"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        var deed = new Deed(
                asked.name(),
                asked.owner(),
                asked.token(),
                freePort(),
                asked.port(),
                asked.jar(),
                asked.orphanTimeout());
        Files.copy(
                Path.of(URI.create(asked.jar())), machine.resolve("dir/tuna.jar"), StandardCopyOption.REPLACE_EXISTING);
        Path script = machine.resolve("router-vm.sh");
        try (InputStream in = LocalRouterCloud.class.getResourceAsStream("router-vm.sh")) {
            Files.write(script, Objects.requireNonNull(in, "router-vm.sh").readAllBytes());
        }
        Files.writeString(machine.resolve("contact"), "");
        Files.writeString(machine.resolve("environment"), environment(deed));
        Files.writeString(machine.resolve("deed.json"), CloudJson.write(deed));
        Process supervisor = new ProcessBuilder(List.of(
                        "/bin/sh",
                        script.toString(),
                        machine.toString(),
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        String.valueOf(Math.max(1, deed.orphanTimeout().toMinutes()))))
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(machine.resolve("log").toFile()))
                .redirectErrorStream(true)
                .start();
        Files.writeString(machine.resolve("supervisor.pid"), String.valueOf(supervisor.pid()));
    }

    private String environment(Deed deed) throws IOException {
        Secret secret = context.secrets()
                .get(RouterCloud.environment(deed.name()))
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.INVALID_REQUEST,
                        "router VM '" + deed.name() + "' has no environment in the secret store"));
        var lines = new ArrayList<String>();
        new JsonMapper()
                .readTree(secret.reveal())
                .properties()
                .forEach(variable -> lines.add(
                        variable.getKey() + "='" + variable.getValue().asText().replace("'", "'\\''") + "'"));
        lines.add("TUNA_ENGINE_PORT=" + deed.control());
        lines.add("TUNA_PUBLIC_HOST=127.0.0.1");
        return String.join("\n", lines) + "\n";
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @Override
    public RouterVmObservation observe(ResourceRef vm, String name) {
        Path machine = machine(vm.id());
        Optional<Deed> found = deed(machine);
        if (found.isEmpty() || !isAlive(machine)) {
            return RouterVmObservation.gone();
        }
        Deed deed = found.get();
        touch(machine.resolve("contact"));
        boolean up = answers(deed);
        boolean late = context.clock().instant().isAfter(launchedAt(machine).plus(BOOT_LIMIT));
        return new RouterVmObservation(
                up ? BackendPhase.READY : late ? BackendPhase.FAILED : BackendPhase.ENGINE,
                up ? "" : late ? "the program does not come up; see " + machine.resolve("log") : "the program starts",
                up ? Optional.of(control(machine, deed)) : Optional.empty(),
                Optional.of(URI.create("http://127.0.0.1:" + deed.port())),
                Optional.of(launchedAt(machine)),
                Optional.empty(),
                Optional.of(USD_PER_HOUR));
    }

    /** Whoever may read the machine's directory may talk to it, from wherever it was made. */
    private BackendAddress control(Path machine, Deed deed) {
        String token = lines(machine.resolve("environment")).stream()
                .filter(line -> line.startsWith("TUNA_CONTROL_TOKEN="))
                .map(line -> line.substring("TUNA_CONTROL_TOKEN=".length()).replace("'", ""))
                .findFirst()
                .orElseThrow();
        return BackendAddress.of(URI.create("http://127.0.0.1:" + deed.control()))
                .withCredential(Credential.bearer(Secret.of(token)));
    }

    private static boolean answers(Deed deed) {
        try {
            var connection = (HttpURLConnection) URI.create("http://127.0.0.1:" + deed.control() + "/health")
                    .toURL()
                    .openConnection();
            connection.setConnectTimeout(HEALTH_MILLIS);
            connection.setReadTimeout(HEALTH_MILLIS);
            try {
                return connection.getResponseCode() == 200;
            } finally {
                connection.disconnect();
            }
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public URI deliver(RouterVmPlan plan, URI jar, String sha256) {
        return jar;
    }

    @Override
    public void terminate(ResourceRef vm) {
        Path machine = machine(vm.id());
        Stream.of("supervisor.pid", "program.pid")
                .flatMap(file -> lines(machine.resolve(file)).stream())
                .flatMap(pid -> ProcessHandle.of(Long.parseLong(pid.trim())).stream())
                .filter(LocalRouterCloud::isOurs)
                .forEach(ProcessHandle::destroyForcibly);
    }

    /** A number may belong to somebody else by now. */
    private static boolean isOurs(ProcessHandle process) {
        return process.info()
                .commandLine()
                .map(line -> line.contains("router-vm.sh") || line.contains("RouterVmMain"))
                .orElse(false);
    }

    private static boolean isAlive(Path machine) {
        return lines(machine.resolve("supervisor.pid")).stream()
                .flatMap(pid -> ProcessHandle.of(Long.parseLong(pid.trim())).stream())
                .anyMatch(process -> process.isAlive() && isOurs(process));
    }

    @Override
    public void cleanUp(FoundRouterVm found) {
        Path machine = machine(found.resource().id());
        if (!Files.exists(machine)) {
            return;
        }
        try (Stream<Path> all = Files.walk(machine)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        } catch (IOException e) {
            throw ProviderException.of(provider, "clean up after router VM")
                    .message(machine + " cannot be deleted: " + e.getMessage())
                    .retryable(true)
                    .build();
        }
    }

    @Override
    public List<FoundRouterVm> find() {
        if (!Files.isDirectory(root)) {
            return List.of();
        }
        try (Stream<Path> machines = Files.list(root)) {
            return machines.filter(LocalRouterCloud::isAlive)
                    .flatMap(machine -> deed(machine).stream())
                    .map(deed ->
                            new FoundRouterVm(new ResourceRef(provider, KIND, deed.token()), deed.name(), deed.owner()))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + root, e);
        }
    }

    private Path machine(String token) {
        return root.resolve(token);
    }

    private static Optional<Deed> deed(Path machine) {
        Path file = machine.resolve("deed.json");
        try {
            return Files.exists(file)
                    ? Optional.of(CloudJson.read(Files.readString(file), Deed.class))
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static Instant launchedAt(Path machine) {
        try {
            return Files.getLastModifiedTime(machine.resolve("deed.json")).toInstant();
        } catch (IOException e) {
            return Instant.EPOCH;
        }
    }

    private void touch(Path file) {
        try {
            Files.setLastModifiedTime(file, FileTime.from(context.clock().instant()));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot touch " + file, e);
        }
    }

    private static List<String> lines(Path file) {
        try {
            return Files.exists(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException e) {
            return List.of();
        }
    }
}
