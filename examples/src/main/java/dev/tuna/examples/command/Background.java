package dev.tuna.examples.command;

import dev.tuna.api.ControlPlane;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.api.TimedOutException;
import dev.tuna.core.Tuna;
import dev.tuna.core.store.OwnerOnly;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A process of its own that hosts deployments: it outlives the terminal, and ends when nothing is deployed any more. Its log
 * and its number are files in the state directory.
 *
 * @param stateDirectory what it controls
 */
record Background(Path stateDirectory) {

    private static final int LOOKS = 300;
    private static final long MILLIS_BETWEEN_LOOKS = 100;
    private static final int LINES_SHOWN = 5;
    private static final String NUMBER = "[0-9]{1,18}";

    /** Above this the log of earlier processes is put aside, and what was put aside before is gone. */
    private static final long LOG_LIMIT = 16L << 20;

    private static final String MAIN = "dev.tuna.examples.TunaCommand";

    /** No terminal sends signals to a session of another; without setsid a shell's background jobs are spared Ctrl-C. */
    private static final String START = "log=$1; shift; settings=$(cat); if command -v setsid >/dev/null 2>&1; then"
            + " printf '%s\\n' \"$settings\" | setsid \"$@\" >>\"$log\" 2>&1 &"
            + " else printf '%s\\n' \"$settings\" | nohup \"$@\" >>\"$log\" 2>&1 & fi; echo $!";

    Path log() {
        return stateDirectory.resolve("tuna.log");
    }

    Path pidFile() {
        return stateDirectory.resolve("tuna.pid");
    }

    /**
     * Starts it.
     *
     * @param options of {@code tuna host}
     * @param settings of providers; may be secret, so they are on no command line and in no file
     * @param secretVariables what it is not to find in its environment
     * @return its control plane, once it answers; never that of another process
     */
    ControlPlane start(
            List<String> options, Map<String, Map<String, String>> settings, Collection<String> secretVariables) {
        try {
            makeLog();
            long length = Files.size(log());
            var words = new ArrayList<>(List.of("sh", "-c", START, "sh", log().toString()));
            words.addAll(java());
            words.addAll(List.of("host", "--until-empty"));
            words.addAll(options);
            return await(launch(words, settings, secretVariables), length);
        } catch (IOException e) {
            throw new StoreException(
                    ErrorCode.STORE_UNWRITABLE, "a background process cannot be started: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TimedOutException("interrupted while a background process was starting; see " + log());
        }
    }

    /** Returns the number of the process that goes on. */
    private static long launch(
            List<String> words, Map<String, Map<String, String>> settings, Collection<String> secretVariables)
            throws IOException, InterruptedException {
        var builder = new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().keySet().removeAll(secretVariables);
        Process shell = builder.start();
        try (Writer input = new OutputStreamWriter(shell.getOutputStream(), StandardCharsets.UTF_8)) {
            HandedSettings.write(settings, input);
        }
        String said = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        int exitCode = shell.waitFor();
        if (exitCode != 0 || !said.matches(NUMBER)) {
            throw new IOException("sh ended with " + exitCode);
        }
        return Long.parseLong(said);
    }

    private void makeLog() throws IOException {
        if (!Files.exists(stateDirectory)) {
            Files.createDirectories(
                    stateDirectory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        }
        if (Files.exists(log()) && Files.size(log()) > LOG_LIMIT) {
            Files.move(log(), log().resolveSibling("tuna.log.1"), StandardCopyOption.REPLACE_EXISTING);
        }
        if (!Files.exists(log())) {
            Files.createFile(log(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        }
    }

    private static List<String> java() {
        var words = new ArrayList<String>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.add("--enable-native-access=ALL-UNNAMED");
        words.add("-XX:+UseSerialGC");
        words.add("-Dorg.slf4j.simpleLogger.showDateTime=true");
        // What happens to deployments, and not each request.
        words.add("-Dorg.slf4j.simpleLogger.log.dev.tuna=info");
        words.add("-Dorg.slf4j.simpleLogger.log.dev.tuna.router.access=warn");
        words.addAll(List.of("-cp", System.getProperty("java.class.path"), MAIN));
        return words;
    }

    private ControlPlane await(long child, long before) throws IOException, InterruptedException {
        for (int look = 0; look < LOOKS; look++) {
            // It writes its number once it controls the store: whoever answers before that is another one.
            if (pid().equals(Optional.of(child))) {
                Optional<ControlPlane> plane = Tuna.running(stateDirectory);
                if (plane.isPresent()) {
                    return plane.get();
                }
            }
            if (ProcessHandle.of(child).filter(ProcessHandle::isAlive).isEmpty()) {
                break;
            }
            if (new CountDownLatch(1).await(MILLIS_BETWEEN_LOOKS, TimeUnit.MILLISECONDS)) {
                break;
            }
        }
        throw new TimedOutException("the background process does not answer: " + lastWords(before) + "; see " + log());
    }

    /** The process that controlled the store in the background last, whether it still runs or was killed. */
    Optional<Long> pid() throws IOException {
        try {
            String text = Files.readString(pidFile()).strip();
            return text.matches(NUMBER) ? Optional.of(Long.parseLong(text)) : Optional.empty();
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /** Has this process be the one in the background; it controls the store. */
    void enter() {
        try {
            String number = ProcessHandle.current().pid() + "\n";
            OwnerOnly.replace(pidFile(), number.getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException("the process number cannot be written", e);
        }
    }

    /** Undoes {@link #enter}, while the store is still controlled. */
    void leave() {
        try {
            if (pid().equals(Optional.of(ProcessHandle.current().pid()))) {
                Files.deleteIfExists(pidFile());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the process number cannot be removed", e);
        }
    }

    private String lastWords(long before) throws IOException {
        return String.join(" / ", LogTail.lines(log(), before, LINES_SHOWN));
    }
}
