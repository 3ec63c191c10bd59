package dev.tuna.testkit.cloud;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The child process that {@link LocalCloud} started. Thread-safe. */
final class CloudProcess implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(CloudProcess.class);
    private static final long END_SECONDS = 40;
    private static final Path SHELL = Path.of("/bin/sh");

    /** Ctrl-C in the starter's terminal goes to its children too; a cloud goes on, so that the starter can clean up. */
    private static final List<String> UNTOUCHED_BY_CTRL_C =
            Files.isExecutable(SHELL) ? List.of(SHELL.toString(), "-c", "trap '' INT; exec \"$0\" \"$@\"") : List.of();

    private final Process process;
    private final URI uri;

    private CloudProcess(Process process, URI uri) {
        this.process = process;
        this.uri = uri;
    }

    static CloudProcess start(List<String> options) {
        List<String> words = new ArrayList<>(UNTOUCHED_BY_CTRL_C);
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.addAll(List.of("-Xshare:auto", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m"));
        words.addAll(List.of("-cp", System.getProperty("java.class.path"), LocalCloudMain.class.getName()));
        words.addAll(options);
        try {
            Process process =
                    new ProcessBuilder(words).redirectErrorStream(true).start();
            BufferedReader output = process.inputReader(StandardCharsets.UTF_8);
            URI uri = awaitUri(process, output);
            Thread drain = new Thread(() -> drain(output), "tuna-cloud-output");
            drain.setDaemon(true);
            drain.start();
            return new CloudProcess(process, uri);
        } catch (IOException e) {
            throw new UncheckedIOException("the local cloud cannot be started", e);
        }
    }

    private static URI awaitUri(Process process, BufferedReader output) throws IOException {
        StringBuilder said = new StringBuilder();
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            if (line.startsWith(LocalCloudMain.SAYS + "http://")) {
                return URI.create(line.substring(LocalCloudMain.SAYS.length()));
            }
            said.append(line).append('\n');
        }
        process.destroyForcibly();
        throw new IllegalStateException("the local cloud did not come up: " + said);
    }

    private static void drain(BufferedReader output) {
        try (output) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                LOG.debug("local cloud: {}", line);
            }
        } catch (IOException e) {
            LOG.debug("output of the local cloud broke off: {}", e.getMessage());
        }
    }

    URI uri() {
        return uri;
    }

    ProcessHandle handle() {
        return process.toHandle();
    }

    @Override
    public void close() {
        Set<ProcessHandle> family = new LinkedHashSet<>(process.descendants().toList());
        process.destroy();
        try {
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                family.addAll(process.descendants().toList());
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        List<Long> left = family.stream()
                .filter(child -> !ended(child))
                .map(ProcessHandle::pid)
                .toList();
        if (!left.isEmpty()) {
            throw new IllegalStateException("processes of the local cloud are still alive: " + left);
        }
    }

    private static boolean ended(ProcessHandle child) {
        try {
            child.onExit().get(END_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn("process {} of the local cloud does not end", child.pid());
        }
        return !child.isAlive();
    }
}
