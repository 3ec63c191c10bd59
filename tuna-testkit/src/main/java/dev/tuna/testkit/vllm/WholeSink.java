package dev.tuna.testkit.vllm;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Gathers a generation and answers once it is complete. */
final class WholeSink implements Generation.Sink {

    private static final class Gathered {
        private final StringBuilder text = new StringBuilder();
        private final StringBuilder reasoning = new StringBuilder();
        private final IntStream.Builder ids = IntStream.builder();
        private @Nullable Delta last;
    }

    private final Exchange exchange;
    private final AnswerFormat format;
    private final List<Gathered> choices = new ArrayList<>();
    private int generated;

    WholeSink(Exchange exchange, AnswerFormat format) {
        this.exchange = exchange;
        this.format = format;
        for (int i = 0; i < format.request().choices(); i++) {
            Gathered gathered = new Gathered();
            gathered.text.append(format.request().echoOf(i));
            choices.add(gathered);
        }
    }

    @Override
    public boolean writable() {
        return true;
    }

    @Override
    public void delta(ChoiceRun choice, Delta delta) {
        Gathered gathered = choices.get(choice.index());
        (delta.reasoning() ? gathered.reasoning : gathered.text).append(delta.text());
        for (int id : delta.ids()) {
            gathered.ids.add(id);
        }
        gathered.last = delta;
        generated += delta.ids().length;
    }

    @Override
    public void finished() {
        List<ChoiceText> texts = new ArrayList<>();
        for (Gathered gathered : choices) {
            Delta last = gathered.last == null ? Delta.ended("", "abort") : gathered.last;
            texts.add(new ChoiceText(
                    gathered.text.toString(),
                    gathered.reasoning.toString(),
                    gathered.ids.build().toArray(),
                    last));
        }
        exchange.tokens(generated);
        exchange.json(200, format.whole(texts));
    }

    @Override
    public void interrupted() {
        exchange.interrupted();
    }

    @Override
    public void flush() {
        exchange.tokens(generated);
    }
}
