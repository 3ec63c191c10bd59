package dev.tuna.examples.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.examples.TunaCommand;
import dev.tuna.testkit.cloud.LocalCloud;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** The command as processes of their own, with and without a terminal. Ends what it started. */
final class Commands implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private final Path state;
    private final Map<String, String> environment;
    private final List<Running> running = new ArrayList<>();

    Commands(Path state, LocalCloud cloud) {
        this(state, Map.of("TUNA_LOCAL_CLOUD", cloud.uri().toString()));
    }

    /** With further variables. */
    Commands(Path state, Map<String, String> environment) {
        this.state = state;
        this.environment = new HashMap<>(environment);
        this.environment.put("TUNA_STATE_DIR", state.toString());
    }

    /** The self-contained jar, once it is made: the build runs what is to be tried with it once more then, or only then. */
    static Optional<Path> jar() {
        return Optional.ofNullable(System.getProperty("tuna.jar")).map(Path::of).map(Path::toAbsolutePath);
    }

    static List<String> java() {
        var words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC"));
        words.addAll(jar().map(jar -> List.of("-jar", jar.toString()))
                .orElseGet(() -> List.of("-cp", System.getProperty("java.class.path"), TunaCommand.class.getName())));
        return words;
    }

    /** Whether there is a program that gives another one a terminal. */
    static boolean hasTerminals() {
        try {
            return new ProcessBuilder("sh", "-c", "command -v script && script --version | grep -q util-linux")
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Without a terminal. */
    Running start(String... arguments) throws IOException {
        var words = new ArrayList<>(java());
        words.addAll(List.of(arguments));
        return started(words);
    }

    /** On a terminal of its own. */
    Running startOnTerminal(String... arguments) throws IOException {
        var words = new ArrayList<>(java());
        words.addAll(List.of(arguments));
        String line =
                String.join(" ", words.stream().map(word -> "'" + word + "'").toList());
        return started(List.of("script", "-qefc", "stty cols 200 rows 50; exec " + line, "/dev/null"));
    }

    private Running started(List<String> words) throws IOException {
        var builder = new ProcessBuilder(words);
        builder.environment().remove("HF_TOKEN");
        builder.environment().putAll(environment);
        builder.environment().put("TERM", "xterm");
        builder.environment().put("NO_COLOR", "1");
        var one = new Running(builder.start());
        running.add(one);
        return one;
    }

    /** Runs to its end. */
    Result run(String... arguments) throws Exception {
        return start(arguments).end();
    }

    /** The process that hosts in the background. */
    ProcessHandle host() throws IOException {
        return ProcessHandle.of(Long.parseLong(
                        Files.readString(state.resolve("tuna.pid")).strip()))
                .orElseThrow();
    }

    boolean isHosted() throws IOException {
        return Files.exists(state.resolve("tuna.pid"))
                && ProcessHandle.of(Long.parseLong(
                                Files.readString(state.resolve("tuna.pid")).strip()))
                        .filter(ProcessHandle::isAlive)
                        .isPresent();
    }

    @Override
    public void close() throws IOException {
        running.forEach(each -> {
            each.process.descendants().forEach(ProcessHandle::destroyForcibly);
            each.process.destroyForcibly();
        });
        if (isHosted()) {
            host().destroyForcibly();
        }
    }

    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            LockSupport.parkNanos(20_000_000);
        }
    }

    /** What a command has come to. */
    record Result(int exitCode, String out, String err) {}

    /** A command under way. */
    static final class Running {

        private final Process process;
        private final Collected out;
        private final Collected err;

        private Running(Process process) {
            this.process = process;
            this.out = new Collected(process.getInputStream());
            this.err = new Collected(process.getErrorStream());
        }

        ProcessHandle handle() {
            return process.toHandle();
        }

        String out() {
            return out.text();
        }

        void awaitText(String text) {
            await("'" + text + "' in: " + out() + err.text(), () -> out().contains(text) || !process.isAlive());
            assertThat(out()).as(err.text()).contains(text);
        }

        void type(String text) throws IOException {
            OutputStream keys = process.getOutputStream();
            keys.write(text.getBytes(StandardCharsets.UTF_8));
            keys.flush();
        }

        Result end() throws InterruptedException {
            assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .as(() -> "it ends: " + out() + err.text())
                    .isTrue();
            out.await();
            err.await();
            return new Result(process.exitValue(), out(), err.text());
        }
    }

    private static final class Collected {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final Thread reader;

        Collected(InputStream stream) {
            reader = new Thread(
                    () -> {
                        try {
                            stream.transferTo(bytes);
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    },
                    "collects-output");
            reader.setDaemon(true);
            reader.setUncaughtExceptionHandler((thread, e) -> {});
            reader.start();
        }

        String text() {
            return bytes.toString(StandardCharsets.UTF_8).replace("\r\n", "\n");
        }

        void await() throws InterruptedException {
            reader.join(TimeUnit.SECONDS.toMillis(30));
        }
    }
}
