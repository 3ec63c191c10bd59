package dev.tuna.examples.command;

import dev.tuna.examples.terminal.Terminal;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * What a run of the command has around it.
 *
 * @param out results
 * @param err everything else
 * @param terminal what can be done with {@code out}
 * @param answers where a person's answers come from
 * @param environment environment variables
 * @param interrupted completes when the person wants the command to end
 */
public record Session(
        PrintStream out,
        PrintStream err,
        Terminal terminal,
        BufferedReader answers,
        Map<String, String> environment,
        CompletableFuture<Void> interrupted) {

    /**
     * What this process has around it.
     *
     * @param interrupted completes when the process is told to end
     * @return the session
     */
    public static Session ofProcess(CompletableFuture<Void> interrupted) {
        return new Session(
                System.out,
                System.err,
                Terminal.detect(),
                new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset())),
                System.getenv(),
                interrupted);
    }

    InstantSource clock() {
        return InstantSource.system();
    }

    /** Asks for consent; where nobody can be asked, having given the command is consent. */
    boolean agrees(String question) {
        if (!terminal.live()) {
            return true;
        }
        err.print(question + " [y/N] ");
        err.flush();
        // Reading cannot be interrupted, so it has a thread of its own.
        return CompletableFuture.supplyAsync(this::readAnswer, Session::startThread)
                .applyToEither(interrupted.thenApply(nothing -> ""), Session::isYes)
                .join();
    }

    private String readAnswer() {
        try {
            String line = answers.readLine();
            return line == null ? "" : line;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the answer", e);
        }
    }

    private static boolean isYes(String answer) {
        return answer.strip().equalsIgnoreCase("y") || answer.strip().equalsIgnoreCase("yes");
    }

    private static void startThread(Runnable task) {
        var thread = new Thread(task, "tuna-question");
        thread.setDaemon(true);
        thread.start();
    }
}
