package dev.tuna.examples;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.ToIntFunction;

/** Lets a main program put things in order when the process is told to end (Ctrl-C, SIGTERM). */
final class OrderlyExit {

    private OrderlyExit() {}

    /**
     * Runs a program. A process that is told to end meanwhile waits for it.
     *
     * @param patience how long it waits at the most
     * @param program given what completes when the process is told to end, returns the exit code
     * @return that exit code
     */
    static int run(Duration patience, ToIntFunction<CompletableFuture<Void>> program) {
        var interrupted = new CompletableFuture<Void>();
        var ended = new CountDownLatch(1);
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> {
                            interrupted.complete(null);
                            await(ended, patience);
                        },
                        "tuna-shutdown"));
        try {
            return program.applyAsInt(interrupted);
        } finally {
            ended.countDown();
        }
    }

    private static void await(CountDownLatch ended, Duration patience) {
        try {
            if (!ended.await(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                System.err.println("Gave up waiting after " + patience.toSeconds() + " s.");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
