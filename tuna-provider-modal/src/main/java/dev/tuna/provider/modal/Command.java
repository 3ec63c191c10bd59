package dev.tuna.provider.modal;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A child process: the words of its command line, none of which is a secret, and an environment, where secrets may be. No
 * shell is involved. Immutable.
 *
 * @param operation what it does, for errors
 * @param words program and arguments
 * @param environment all of its environment
 */
record Command(String operation, List<String> words, Map<String, String> environment) {

    private static final long LOOK_MILLIS = 20;
    private static final long FAREWELL_SECONDS = 3;
    private static final int CHUNK = 8192;

    /** Copies collections. */
    Command {
        words = List.copyOf(words);
        environment = Map.copyOf(environment);
    }

    /**
     * Runs it to its end.
     *
     * @param limit after which it is ended
     * @throws ProviderException if it cannot be started, or did not end in time
     */
    Finished run(Duration limit) {
        Process process = start(builder());
        try {
            process.getOutputStream().close();
            return follow(process, limit);
        } catch (IOException e) {
            throw failure(ErrorCode.PROVIDER_REFUSED, true, "its output cannot be read: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failure(ErrorCode.TIMEOUT, true, "interrupted while it ran");
        } finally {
            end(process.toHandle());
        }
    }

    /**
     * Starts it and leaves it to itself; it outlives this JVM.
     *
     * @param log where its output goes
     * @throws ProviderException if it cannot be started
     */
    Process detach(Path log) {
        // No pipe, so that nobody need listen; nothing to read from, so that nobody is asked.
        Process process = start(builder().redirectErrorStream(true).redirectOutput(log.toFile()));
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            // It has ended already, as will be seen.
        }
        return process;
    }

    private ProcessBuilder builder() {
        ProcessBuilder builder = new ProcessBuilder(words);
        builder.environment().clear();
        builder.environment().putAll(environment);
        return builder;
    }

    private Process start(ProcessBuilder builder) {
        try {
            return builder.start();
        } catch (IOException e) {
            throw failure(
                    ErrorCode.NOT_CONFIGURED,
                    false,
                    "'" + words.get(0)
                            + "' cannot be run; install Modal's command line (pip install modal) or say where it is (setting cli)");
        }
    }

    /** In this thread alone: whoever wrote more than a pipe holds would wait for a reader. */
    private Finished follow(Process process, Duration limit) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        boolean over = false;
        while (!over) {
            over = process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            drain(process.getInputStream(), out);
            drain(process.getErrorStream(), err);
            if (!over && System.nanoTime() - deadline > 0) {
                throw failure(ErrorCode.TIMEOUT, true, "it did not end within " + limit.toSeconds() + " s");
            }
        }
        return new Finished(
                process.exitValue(), out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** Only what is there: a grandchild that has inherited the pipe must keep nobody waiting. */
    private static void drain(InputStream from, ByteArrayOutputStream to) throws IOException {
        byte[] chunk = new byte[CHUNK];
        for (int there = from.available(); there > 0; there = from.available()) {
            int read = from.read(chunk, 0, Math.min(there, CHUNK));
            if (read < 0) {
                return;
            }
            to.write(chunk, 0, read);
        }
    }

    /** Ends a process, first politely; returns when it is gone, or does not go. */
    static void end(ProcessHandle process) {
        List<ProcessHandle> all = new ArrayList<>(List.of(process));
        process.descendants().forEach(all::add);
        if (all.stream().noneMatch(ProcessHandle::isAlive)) {
            return;
        }
        all.forEach(ProcessHandle::destroy);
        if (!await(process)) {
            all.forEach(ProcessHandle::destroyForcibly);
            await(process);
        }
    }

    private static boolean await(ProcessHandle process) {
        try {
            process.onExit().get(FAREWELL_SECONDS, TimeUnit.SECONDS);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return !process.isAlive();
        } catch (ExecutionException | TimeoutException e) {
            return !process.isAlive();
        }
    }

    private ProviderException failure(ErrorCode code, boolean retryable, String message) {
        return ProviderException.of(ModalProvider.NAME, operation)
                .code(code)
                .retryable(retryable)
                .message(message)
                .build();
    }

    /** Without the environment, where secrets are. */
    @Override
    public String toString() {
        return "Command[" + String.join(" ", words) + "]";
    }
}
