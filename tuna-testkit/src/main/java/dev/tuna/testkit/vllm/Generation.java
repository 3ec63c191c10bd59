package dev.tuna.testkit.vllm;

import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One request on its way through the engine: paces the tokens of its choices and hands them to a sink. Confined to the
 * event loop.
 */
final class Generation {

    /** Where tokens go. */
    interface Sink {
        /** Whether more may be handed over; if not, {@link Generation#resume()} is called later. */
        boolean writable();

        void delta(ChoiceRun choice, Delta delta);

        /** Every choice has its finish reason. */
        void finished();

        /** The planned interruption: no token follows. */
        void interrupted();

        void flush();
    }

    /** Between two turns of other requests, so that one without a pace does not hog the loop. */
    private static final int BURST = 32;

    private final EventExecutor loop;
    private final Engine engine;
    private final Pace pace;
    private final GenerationRequest request;
    private final List<ChoiceRun> choices;
    private final Sink sink;
    private final int interruptAt;
    private @Nullable Future<?> timer;
    private long startedAt;
    private int rounds;
    private boolean started;
    private boolean ended;

    /** @param interruptAt after how many tokens per choice to stop dead, below zero for never */
    Generation(Engine engine, GenerationRequest request, boolean textLags, int interruptAt, Sink sink) {
        this.engine = engine;
        this.loop = engine.loop();
        this.pace = engine.pace();
        this.request = request;
        this.interruptAt = interruptAt;
        this.sink = sink;
        choices = IntStream.range(0, request.choices())
                .mapToObj(index -> new ChoiceRun(request, index, textLags))
                .toList();
    }

    GenerationRequest request() {
        return request;
    }

    List<ChoiceRun> choices() {
        return choices;
    }

    int tokens() {
        return choices.stream().mapToInt(ChoiceRun::tokens).sum();
    }

    int contextTokens() {
        return request.promptTokens() + tokens();
    }

    void start() {
        started = true;
        startedAt = System.nanoTime();
        run();
    }

    /** Goes on after the sink had no room. */
    void resume() {
        if (started && !ended && timer == null) {
            run();
        }
    }

    private void run() {
        timer = null;
        for (int burst = 0; !ended && sink.writable(); burst++) {
            long wait = startedAt + pace.nanosUntil(rounds) - System.nanoTime();
            if (wait > 0) {
                timer = loop.schedule(this::run, wait, TimeUnit.NANOSECONDS);
                break;
            } else if (burst == BURST) {
                timer = loop.submit(this::run);
                break;
            } else if (rounds == interruptAt) {
                interrupt();
                return;
            }
            step();
        }
        sink.flush();
    }

    private void step() {
        rounds++;
        boolean left = false;
        for (ChoiceRun choice : choices) {
            if (!choice.finished()) {
                Delta delta = choice.step();
                engine.metrics().generated(delta);
                sink.delta(choice, delta);
                left |= !choice.finished();
            }
        }
        if (rounds == 1) {
            engine.metrics().firstToken(System.nanoTime() - startedAt);
        }
        if (!left && !ended) {
            end();
            sink.finished();
        }
    }

    /** A stalled request keeps its place in the engine until its client leaves. */
    private void interrupt() {
        sink.flush();
        started = false;
        sink.interrupted();
    }

    /** Gives every unfinished choice the finish reason {@code abort}. */
    void abort() {
        if (ended) {
            return;
        }
        end();
        for (ChoiceRun choice : choices) {
            if (!choice.finished()) {
                Delta delta = choice.abort();
                engine.metrics().generated(delta);
                sink.delta(choice, delta);
            }
        }
        sink.finished();
        sink.flush();
    }

    /** Stops without another word; harmless when over already. */
    void end() {
        if (!ended) {
            ended = true;
            if (timer != null) {
                timer.cancel(false);
            }
            if (rounds > 0) {
                engine.metrics().ended(System.nanoTime() - startedAt);
            }
            engine.ended(this);
        }
    }
}
