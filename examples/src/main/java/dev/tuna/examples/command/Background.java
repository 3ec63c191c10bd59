package dev.tuna.examples.command;

import dev.tuna.api.ControlPlane;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.api.TimedOutException;
import dev.tuna.core.Tuna;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
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
    private static final String MAIN = "dev.tuna.examples.TunaCommand";

    /** No terminal sends signals to a session of another; without setsid a shell's background jobs are spared Ctrl-C. */
    private static final String START = "log=$1; shift; if command -v setsid >/dev/null 2>&1; then"
            + " setsid \"$@\" </dev/null >>\"$log\" 2>&1 & else nohup \"$@\" </dev/null >>\"$log\" 2>&1 & fi";

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
     * @return its control plane, once it answers
     */
    ControlPlane start(List<String> options) {
        try {
            makeLog();
            Files.deleteIfExists(pidFile());
            long length = Files.size(log());
            var words = new ArrayList<>(List.of("sh", "-c", START, "sh", log().toString()));
            words.addAll(java());
            words.addAll(List.of("host", "--until-empty", "-v"));
            words.addAll(options);
            int exitCode = new ProcessBuilder(words)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
            if (exitCode != 0) {
                throw new IOException("sh ended with " + exitCode);
            }
            return await(length);
        } catch (IOException e) {
            throw new StoreException(
                    ErrorCode.STORE_UNWRITABLE, "a background process cannot be started: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TimedOutException("interrupted while a background process was starting; see " + log());
        }
    }

    private void makeLog() throws IOException {
        if (!Files.exists(stateDirectory)) {
            Files.createDirectories(
                    stateDirectory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
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
        words.addAll(List.of("-cp", System.getProperty("java.class.path"), MAIN));
        return words;
    }

    private ControlPlane await(long before) throws IOException, InterruptedException {
        for (int look = 0; look < LOOKS; look++) {
            Optional<ControlPlane> plane = Tuna.running(stateDirectory);
            if (plane.isPresent()) {
                return plane.get();
            }
            if (hasDied()) {
                break;
            }
            if (new CountDownLatch(1).await(MILLIS_BETWEEN_LOOKS, TimeUnit.MILLISECONDS)) {
                break;
            }
        }
        throw new TimedOutException("the background process does not answer: " + lastWords(before) + "; see " + log());
    }

    /** It writes its number first of all. */
    private boolean hasDied() throws IOException {
        return pid().map(pid ->
                        ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty())
                .orElse(false);
    }

    /** The process that was started last, whether it still runs or not. */
    Optional<Long> pid() throws IOException {
        if (!Files.exists(pidFile())) {
            return Optional.empty();
        }
        String text = Files.readString(pidFile()).strip();
        return text.matches("[0-9]{1,18}") ? Optional.of(Long.parseLong(text)) : Optional.empty();
    }

    private String lastWords(long before) throws IOException {
        byte[] all = Files.readAllBytes(log());
        int from = (int) Math.min(before, all.length);
        List<String> lines = new String(all, from, all.length - from, java.nio.charset.StandardCharsets.UTF_8)
                .lines()
                .filter(line -> !line.isBlank())
                .toList();
        return String.join(" / ", lines.subList(Math.max(0, lines.size() - LINES_SHOWN), lines.size()));
    }
}
