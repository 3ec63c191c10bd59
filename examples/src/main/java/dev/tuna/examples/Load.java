package dev.tuna.examples;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * Clients that each ask one question after another, every second answer streamed, until told to stop. Thread-safe.
 *
 * <p>Threads are named {@code tuna-client-N}; {@link #stop} ends them after the request that each is at.
 */
final class Load implements AutoCloseable {

    private static final int FAILURES_KEPT = 5;
    private static final int MAX_TOKENS = 16;

    private final Chat chat;
    private final ExecutorService clients;
    private final Map<Long, Boolean> inFlight = new ConcurrentHashMap<>();
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong answered = new AtomicLong();
    private final AtomicLong streamed = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private final Map<String, Boolean> failures = new ConcurrentHashMap<>();
    private volatile boolean stopping;

    private Load(Chat chat, int clients) {
        this.chat = chat;
        this.clients = Executors.newFixedThreadPool(clients, threads());
    }

    /**
     * Starts asking.
     *
     * @param chat who is asked
     * @param clients how many ask at once
     */
    static Load start(Chat chat, int clients) {
        var load = new Load(chat, clients);
        IntStream.range(0, clients).forEach(client -> load.clients.execute(() -> load.ask(client)));
        return load;
    }

    /** What the clients have seen so far. */
    Counts counts() {
        return new Counts(sent.get(), answered.get(), streamed.get(), failed.get(), List.copyOf(failures.keySet()));
    }

    /** The number of the last request sent; with {@link #allAnsweredUpTo} it tells old requests from new ones. */
    long lastSent() {
        return sent.get();
    }

    /** Whether no request up to this number is still waiting for the end of its answer. */
    boolean allAnsweredUpTo(long number) {
        return inFlight.keySet().stream().noneMatch(request -> request <= number);
    }

    /**
     * Sends nothing new and waits for the answers under way.
     *
     * @param patience for all of them together
     * @return the final counts
     * @throws IllegalStateException if an answer does not end
     */
    Counts stop(Duration patience) throws InterruptedException {
        stopping = true;
        clients.shutdown();
        if (!clients.awaitTermination(patience.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new IllegalStateException(
                    inFlight.size() + " requests have had no answer for " + patience.toSeconds() + " s");
        }
        return counts();
    }

    @Override
    public void close() {
        stopping = true;
        clients.shutdownNow();
    }

    private void ask(int client) {
        for (int round = 0; !stopping; round++) {
            boolean stream = (client + round) % 2 == 0;
            long number = sent.incrementAndGet();
            inFlight.put(number, stream);
            try {
                String question = "Question " + number + ": what is a spot instance?";
                String answer = stream ? chat.stream(question, MAX_TOKENS) : chat.ask(question, MAX_TOKENS);
                if (answer.isBlank()) {
                    throw new IllegalStateException("an empty answer");
                }
                answered.incrementAndGet();
                if (stream) {
                    streamed.incrementAndGet();
                }
            } catch (RuntimeException e) {
                failed.incrementAndGet();
                remember((stream ? "stream: " : "unary: ") + e);
            } finally {
                inFlight.remove(number);
            }
        }
    }

    private void remember(String failure) {
        if (failures.size() < FAILURES_KEPT) {
            failures.put(failure, true);
        }
    }

    private static ThreadFactory threads() {
        var number = new AtomicInteger();
        return task -> {
            var thread = new Thread(task, "tuna-client-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    /**
     * Requests as the clients saw them.
     *
     * @param sent how many were sent
     * @param answered how many were answered in full
     * @param streamed how many of those were streamed
     * @param failed how many were not
     * @param failures what some of the failures said
     */
    record Counts(long sent, long answered, long streamed, long failed, List<String> failures) {}
}
