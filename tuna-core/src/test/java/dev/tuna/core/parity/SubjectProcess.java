package dev.tuna.core.parity;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A {@link Subject} as the test sees it. What it logs is in a file, what it prints in a list. */
final class SubjectProcess implements AutoCloseable {

    private static final List<String> JVM = List.of(
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xshare:auto",
            "-Xmx160m",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=debug",
            "-Dorg.slf4j.simpleLogger.log.dev.tuna=trace",
            // What other tests would rather not read is what is to be searched here.
            "-Dorg.slf4j.simpleLogger.log.dev.tuna.core.control=trace");
    private static final long PATIENCE_SECONDS = 120;

    private final Process process;
    private final Writer input;
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    private final List<String> printed = new CopyOnWriteArrayList<>();
    private volatile String hello = "";

    private SubjectProcess(Process process) {
        this.process = process;
        this.input = process.outputWriter(StandardCharsets.UTF_8);
        var reader = new Thread(this::read, "subject-output");
        reader.setDaemon(true);
        reader.start();
    }

    /** Starts one and waits until it controls the directory or says why not. */
    static SubjectProcess start(Path directory, URI cloud, Path log, String credential)
            throws IOException, InterruptedException {
        SubjectProcess subject = begin(directory, cloud, log);
        subject.begin(credential);
        return subject;
    }

    /** Starts one that does nothing yet. */
    static SubjectProcess begin(Path directory, URI cloud, Path log) throws IOException {
        List<String> words = new ArrayList<>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.addAll(JVM);
        words.add("-Dsubject.directory=" + directory);
        words.add("-Djava.io.tmpdir=" + Files.createDirectories(log.resolveSibling("tmp")));
        words.addAll(List.of("-cp", System.getProperty("java.class.path"), Subject.class.getName()));
        words.addAll(List.of(directory.toString(), cloud.toString()));
        return new SubjectProcess(new ProcessBuilder(words)
                .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start());
    }

    /** Lets it go for the directory. */
    void begin(String credential) throws IOException, InterruptedException {
        hello = ask(credential);
    }

    private void read() {
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            output.lines().forEach(line -> {
                printed.add(line);
                if (line.startsWith(Subject.ANSWER)) {
                    answers.add(line.substring(Subject.ANSWER.length()));
                }
            });
        } catch (IOException | UncheckedIOException e) {
            // It was killed in the middle of a line.
        }
    }

    String ask(String command) throws IOException, InterruptedException {
        input.write(command + "\n");
        input.flush();
        String answer = answers.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (answer == null) {
            throw new AssertionError("no answer to '" + command + "', printed: " + printed);
        }
        return answer;
    }

    /** What it said first: {@code controls at URL}, or the code and message of what kept it from it. */
    String hello() {
        return hello;
    }

    URI address() {
        return URI.create(hello.substring(hello.lastIndexOf(' ') + 1));
    }

    ProcessHandle handle() {
        return process.toHandle();
    }

    List<String> printed() {
        return List.copyOf(printed);
    }

    /** As {@code kill -9}. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** Makes it hang, as a machine that swaps or a debugger does. */
    void hang() throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-STOP", Long.toString(process.pid()))
                .start()
                .waitFor();
    }

    /** Ends it in order. */
    @Override
    public void close() throws IOException {
        try {
            if (process.isAlive()) {
                input.write("close\n");
                input.flush();
                boolean ended = process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
                if (!ended) {
                    throw new AssertionError("it does not end");
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            process.destroyForcibly();
        }
    }
}
