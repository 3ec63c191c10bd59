package dev.tuna.core.crash;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A {@link CrashSubject} as its driver sees it. */
final class SubjectProcess {

    /** Several of them start one after the other on a few cores. */
    private static final List<String> LIGHT = List.of(
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xshare:auto",
            "-XX:-UsePerfData",
            "-Xmx128m",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=info",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS");

    private final Process process;
    private final Writer input;
    private final BlockingQueue<Optional<String>> answers = new LinkedBlockingQueue<>();
    private String[] hello = {};

    private SubjectProcess(Process process) {
        this.process = process;
        this.input = process.outputWriter(StandardCharsets.UTF_8);
        var reader = new Thread(this::read, "crash-subject-output");
        reader.setDaemon(true);
        reader.start();
    }

    /**
     * Starts one; it is not up yet.
     *
     * @param death when it kills itself, as the command {@code die} says it
     */
    static SubjectProcess start(Path directory, URI cloud, Path log, String death) throws IOException {
        List<String> words = new ArrayList<>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.addAll(LIGHT);
        words.addAll(List.of("-cp", System.getProperty("java.class.path"), CrashSubject.class.getName()));
        words.addAll(List.of(directory.toString(), cloud.toString(), death));
        return new SubjectProcess(new ProcessBuilder(words)
                .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start());
    }

    private void read() {
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            output.lines().forEach(line -> answers.add(Optional.of(line)));
        } catch (IOException | UncheckedIOException e) {
            // It was killed in the middle of a line.
        }
        answers.add(Optional.empty());
    }

    /** It was killed before it answered. */
    static final class Dead extends RuntimeException {
        private static final long serialVersionUID = 1;

        Dead(String command) {
            super("killed before it answered: " + command);
        }
    }

    String ask(String command) {
        awaitStart();
        try {
            input.write(command + "\n");
            input.flush();
        } catch (IOException e) {
            throw new Dead(command);
        }
        return next(command);
    }

    private String next(String command) {
        try {
            Optional<String> answer = answers.poll(Patience.LIMIT.toSeconds(), TimeUnit.SECONDS);
            if (answer == null) {
                throw new AssertionError("the controller does not answer: " + command);
            }
            return answer.orElseThrow(() -> new Dead(command));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    /** Returns when it has taken up what is in the directory. */
    void awaitStart() {
        if (hello.length == 0) {
            hello = next("start").split(" ");
        }
    }

    URI address() {
        awaitStart();
        return URI.create(hello[0]);
    }

    String owner() {
        awaitStart();
        return hello[1];
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** As {@code kill -9}; returns when it is dead. */
    void kill() {
        process.destroyForcibly();
        awaitEnd();
    }

    private void awaitEnd() {
        try {
            if (!process.waitFor(Patience.LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                throw new AssertionError("the controller does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }
}
