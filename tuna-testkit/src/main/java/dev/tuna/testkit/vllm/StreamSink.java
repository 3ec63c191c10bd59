package dev.tuna.testkit.vllm;

import java.nio.charset.StandardCharsets;

/** Writes a generation as server-sent events. */
final class StreamSink implements Generation.Sink {

    private static final byte[] DATA = "data: ".getBytes(StandardCharsets.UTF_8);
    private static final byte[] END_OF_EVENT = "\n\n".getBytes(StandardCharsets.UTF_8);
    private static final byte[] KEEP_ALIVE = ": keep-alive\n\n".getBytes(StandardCharsets.UTF_8);
    private static final byte[] DONE = "[DONE]".getBytes(StandardCharsets.UTF_8);

    private final Exchange exchange;
    private final Answer answer;
    private final AnswerFormat format;
    private final boolean[] opened;
    private final int[] shown;
    private int generated;
    private boolean silent = true;

    StreamSink(Exchange exchange, Answer answer, AnswerFormat format) {
        this.exchange = exchange;
        this.answer = answer;
        this.format = format;
        opened = new boolean[format.request().choices()];
        shown = new int[opened.length];
    }

    @Override
    public boolean writable() {
        return answer.writable();
    }

    @Override
    public void delta(ChoiceRun choice, Delta delta) {
        boolean first = !opened[choice.index()];
        if (first) {
            open(choice.index());
        }
        generated += delta.ids().length;
        chunk(choice.index(), delta, first && !format.opensWithRole());
    }

    private void chunk(int choice, Delta delta, boolean first) {
        event(format.chunk(choice, delta, first, generated, shown[choice]));
        shown[choice] += delta.text().codePointCount(0, delta.text().length());
    }

    /** What comes ahead of the first token of a choice. */
    private void open(int choice) {
        opened[choice] = true;
        if (format.opensWithRole()) {
            event(format.roleChunk(choice, generated));
        }
        String echo = format.request().echoOf(choice);
        if (!echo.isEmpty()) {
            chunk(choice, Delta.echo(echo), false);
        }
    }

    @Override
    public void finished() {
        if (format.request().usage()) {
            event(format.usageChunk(generated));
        }
        event(DONE);
        answer.end();
    }

    @Override
    public void interrupted() {
        for (int choice = 0; choice < opened.length; choice++) {
            if (!opened[choice]) {
                open(choice);
            }
        }
        exchange.interrupted();
    }

    /** An error within the stream, after which the stream still ends properly. */
    void failed(ApiError error) {
        event(Json.bytes(error.body()));
        event(DONE);
        answer.end();
    }

    /** Called at an interval: a comment if nothing else was sent since the last call. */
    void keepAlive() {
        if (silent) {
            answer.write(KEEP_ALIVE);
            answer.flush();
        }
        silent = true;
    }

    @Override
    public void flush() {
        exchange.tokens(generated);
        answer.flush();
    }

    private void event(byte[] data) {
        silent = false;
        byte[] event = new byte[DATA.length + data.length + END_OF_EVENT.length];
        System.arraycopy(DATA, 0, event, 0, DATA.length);
        System.arraycopy(data, 0, event, DATA.length, data.length);
        System.arraycopy(END_OF_EVENT, 0, event, DATA.length + data.length, END_OF_EVENT.length);
        answer.write(event);
    }
}
