package dev.tuna.testkit.vllm;

import io.netty.util.concurrent.EventExecutor;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;

/** Runs generations up to its capacity and queues the rest in order. Confined to the event loop, counts excepted. */
final class Engine {

    private final EventExecutor loop;
    private final Pace pace;
    private final int capacity;
    private final Metrics metrics;
    private final Set<Generation> running = new LinkedHashSet<>();
    private final Set<Generation> waiting = new LinkedHashSet<>();
    private volatile int runningCount;
    private volatile int waitingCount;

    Engine(EventExecutor loop, Pace pace, int capacity, Metrics metrics) {
        this.loop = loop;
        this.pace = pace;
        this.capacity = capacity;
        this.metrics = metrics;
    }

    EventExecutor loop() {
        return loop;
    }

    Pace pace() {
        return pace;
    }

    Metrics metrics() {
        return metrics;
    }

    int running() {
        return runningCount;
    }

    int waiting() {
        return waitingCount;
    }

    void submit(Generation generation) {
        waiting.add(generation);
        admit();
    }

    void ended(Generation generation) {
        boolean removed = running.remove(generation) || waiting.remove(generation);
        if (removed) {
            admit();
        }
    }

    /** Starts on a later turn of the loop, so that ends which start others do not nest. */
    private void admit() {
        Iterator<Generation> next = waiting.iterator();
        while (running.size() < capacity && next.hasNext()) {
            Generation generation = next.next();
            next.remove();
            running.add(generation);
            metrics.prompted(generation.request().promptTokens());
            loop.execute(() -> startIfStillWanted(generation));
        }
        runningCount = running.size();
        waitingCount = waiting.size();
    }

    private void startIfStillWanted(Generation generation) {
        if (running.contains(generation)) {
            generation.start();
        }
    }

    int contextTokens() {
        return running.stream().mapToInt(Generation::contextTokens).sum();
    }

    int capacity() {
        return capacity;
    }
}
