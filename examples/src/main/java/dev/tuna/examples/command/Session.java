package dev.tuna.examples.command;

import dev.tuna.examples.terminal.Terminal;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/**
 * What a run of the command has around it.
 *
 * @param out results
 * @param err everything else
 * @param terminal what can be done with {@code out}
 * @param answers where a person's answers come from
 * @param environment environment variables
 * @param interrupted completes when the process is to end
 * @param interrupts what Ctrl-C means
 * @param attended whether a person sits at standard input and can be asked, wherever the output goes
 */
public record Session(
        PrintStream out,
        PrintStream err,
        Terminal terminal,
        BufferedReader answers,
        Map<String, String> environment,
        CompletableFuture<Void> interrupted,
        Interrupts interrupts,
        BooleanSupplier attended) {

    /** With a person at the keyboard exactly where the output is a terminal. */
    Session(
            PrintStream out,
            PrintStream err,
            Terminal terminal,
            BufferedReader answers,
            Map<String, String> environment,
            CompletableFuture<Void> interrupted,
            Interrupts interrupts) {
        this(out, err, terminal, answers, environment, interrupted, interrupts, terminal::live);
    }

    /**
     * What this process has around it.
     *
     * @param interrupted completes when the process is told to end
     * @param interrupts what Ctrl-C means
     * @return the session
     */
    public static Session ofProcess(CompletableFuture<Void> interrupted, Interrupts interrupts) {
        return new Session(
                System.out,
                System.err,
                Terminal.detect(),
                new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset())),
                System.getenv(),
                interrupted,
                interrupts,
                Terminal::isAttended);
    }

    InstantSource clock() {
        return InstantSource.system();
    }

    /** Lets time pass; true as soon as the process is to end. */
    boolean isEndedWithin(Duration pause) {
        return isDoneWithin(interrupted, pause);
    }

    /** Lets time pass; true as soon as something has happened, or this thread is to stop. */
    static boolean isDoneWithin(CompletableFuture<?> something, Duration pause) {
        try {
            something.get(pause.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    /** Asks for consent; where nobody can be asked, having given the command is consent. */
    boolean agrees(String question) {
        return !attended.getAsBoolean() || isYes(ask(question + " [y/N] "));
    }

    /** Asks a person something; the answer is empty if the process is to end meanwhile, or nobody answers any more. */
    String ask(String question) {
        return ask(question, new CompletableFuture<>());
    }

    /** Asks a person something that others may answer too; the first answer counts. */
    String ask(String question, CompletableFuture<String> answer) {
        err.print(question);
        err.flush();
        // Reading cannot be interrupted, so it has a thread of its own.
        var unusedTyped = CompletableFuture.supplyAsync(this::readAnswer, Session::startThread)
                .handle((line, failure) -> answer.complete(failure == null ? line : ""));
        var unusedEnd = interrupted.thenRun(() -> answer.complete(""));
        return answer.join().strip();
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
        return answer.equalsIgnoreCase("y") || answer.equalsIgnoreCase("yes");
    }

    private static void startThread(Runnable task) {
        var thread = new Thread(task, "tuna-question");
        thread.setDaemon(true);
        thread.start();
    }
}
