package dev.tuna.testkit.crash;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A controller in a JVM of its own as its driver sees it. The program says {@link #ANSWER one answer} when it is up and one
 * to every line of its input; what else it prints is kept. Its errors go to a log file. Thread-safe.
 */
public final class SubjectProcess {

    /** What a line of the program's output begins with that is an answer. */
    public static final String ANSWER = "=";

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
    private final List<String> printed = new CopyOnWriteArrayList<>();
    private volatile List<String> hello = List.of();

    private SubjectProcess(Process process) {
        this.process = process;
        this.input = process.outputWriter(StandardCharsets.UTF_8);
        var reader = new Thread(this::read, "subject-output");
        reader.setDaemon(true);
        reader.start();
    }

    /**
     * Starts one; it is not up yet.
     *
     * @param program a class with a {@code main} on the class path of this JVM
     * @param arguments what it is called with
     * @param log file to which its errors are appended
     * @param options further options of the JVM
     * @return the process
     * @throws IOException if it cannot be started
     */
    public static SubjectProcess start(Class<?> program, List<String> arguments, Path log, String... options)
            throws IOException {
        List<String> words = new ArrayList<>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.addAll(LIGHT);
        words.addAll(List.of(options));
        words.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
        words.addAll(arguments);
        return new SubjectProcess(new ProcessBuilder(words)
                .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start());
    }

    private void read() {
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            output.lines().forEach(line -> {
                printed.add(line);
                if (line.startsWith(ANSWER)) {
                    answers.add(Optional.of(line.substring(ANSWER.length())));
                }
            });
        } catch (IOException | UncheckedIOException e) {
            // It was killed in the middle of a line.
        }
        answers.add(Optional.empty());
    }

    /** It was killed before it answered. */
    public static final class Dead extends RuntimeException {
        private static final long serialVersionUID = 1;

        Dead(String command) {
            super("killed before it answered: " + command);
        }
    }

    /**
     * Tells it to do something.
     *
     * @param command one line
     * @return its answer
     * @throws Dead if it is killed before it answers
     */
    public String ask(String command) {
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

    /** Returns when it is up. */
    public void awaitStart() {
        if (hello.isEmpty()) {
            hello = List.of(next("start").split(" "));
        }
    }

    /**
     * What it said when it was up, in words.
     *
     * @return one or more
     */
    public List<String> hello() {
        awaitStart();
        return hello;
    }

    /**
     * Everything that it has printed so far, answers included.
     *
     * @return a snapshot, line by line
     */
    public List<String> printed() {
        return List.copyOf(printed);
    }

    /**
     * The process, to be looked into.
     *
     * @return its handle
     */
    public ProcessHandle handle() {
        return process.toHandle();
    }

    /**
     * Whether it runs.
     *
     * @return false once it is dead
     */
    public boolean isAlive() {
        return process.isAlive();
    }

    /** As {@code kill -9}; returns when it is dead. */
    public void kill() {
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
