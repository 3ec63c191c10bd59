package dev.tuna.router.http;

import io.netty.buffer.ByteBuf;
import java.util.BitSet;

/**
 * Reads along with an event stream, however it is cut into reads: where events end, what each of them carries, and whether
 * the stream as a whole ended well. Goes over the bytes once, builds no JSON and cannot be fooled by text inside strings.
 *
 * <p>Understands the chunks of chat and text completions (also of transcriptions), and the typed events of the Responses
 * and Messages APIs. Lines may end in LF or CRLF. Confined to one stream and one thread.
 *
 * <pre>{@code
 * for (int end = scanner.next(read, from); end >= 0; end = scanner.next(read, from)) {
 *     forward(read, from, end);
 *     from = end;
 * }
 * }</pre>
 *
 * What lies behind the last event's end is the beginning of an event whose rest has not come; whoever must not send half
 * events keeps it back. It must not be scanned again.
 */
public final class SseScanner {

    /** How a stream has gone so far: what to think of it if it ended now. */
    public enum Verdict {
        /**
         * It ended well: every choice had a finish reason of the model's making, there was no error, and {@code [DONE]} or
         * the final usage chunk came.
         */
        COMPLETE,
        /** It said that it failed, in an event. */
        FAILED,
        /** A choice was given up ({@code abort}, {@code error} or a reason that is not known), whatever came after. */
        ABORTED,
        /** It is not at its end: something is still missing. */
        TRUNCATED
    }

    /** A stream with more choices than this is not believed. */
    static final int MOST_CHOICES = 4096;

    /** Bytes looked at at a time: an array is several times quicker to go over than a buffer. */
    private static final int BLOCK = 512;

    private static final String DONE = "[DONE]";
    private static final String DATA = "data";
    private static final String EVENT = "event";
    private static final String ERROR = "error";

    /** Where in a line the next byte lies. */
    private enum Part {
        NAME,
        FIRST_OF_VALUE,
        DATA,
        EVENT_NAME,
        IGNORED
    }

    private final int expectedChoices;
    private final byte[] block = new byte[BLOCK];
    private final Cuts cuts = new Cuts();
    private final ChunkReader chunk;
    private long position;

    private Part part = Part.NAME;
    private boolean eventEnded = true;
    private final Word name = new Word(EVENT.length());
    private final Word eventName = new Word(ERROR.length());
    private final Word head = new Word(DONE.length());
    private boolean hasData;
    private boolean finishedChoice;
    private boolean abortedChoice;

    private final BitSet seen = new BitSet();
    private final BitSet finished = new BitSet();
    private boolean failed;
    private boolean aborted;
    private boolean typed;
    private boolean typedEnd;
    private boolean done;
    private boolean lastWasUsage;

    /**
     * A scanner at the beginning of a stream.
     *
     * @param expectedChoices how many choices the answer must have at least; see {@link RequestBody#choices()}
     */
    public SseScanner(int expectedChoices) {
        this(expectedChoices, TokenListener.NONE);
    }

    /**
     * A scanner at the beginning of a stream whose token ids matter.
     *
     * @param expectedChoices how many choices the answer must have at least
     * @param tokens told the ids as they go by
     */
    public SseScanner(int expectedChoices, TokenListener tokens) {
        this.expectedChoices = expectedChoices;
        this.chunk = new ChunkReader(this::onChoice, this::onChoiceSeen, tokens, cuts);
    }

    /**
     * Reads on to the end of the current event.
     *
     * @param read a buffer; its indices are not moved
     * @param from the first byte not yet scanned, up to the writer index
     * @return the index behind the blank line that ends the event, or -1 if the bytes ran out first
     */
    public int next(ByteBuf read, int from) {
        if (eventEnded) {
            beginEvent();
        }
        int to = read.writerIndex();
        for (int at = from; at < to; at += BLOCK) {
            int length = Math.min(BLOCK, to - at);
            read.getBytes(at, block, 0, length);
            int end = endOfEvent(length);
            position += end >= 0 ? end : length;
            if (end >= 0) {
                return at + end;
            }
        }
        return -1;
    }

    /**
     * How many bytes of the stream have been scanned.
     *
     * @return the position behind the last byte scanned, counted from 0
     */
    public long position() {
        return position;
    }

    /**
     * Where fields of token ids lie that have been scanned since the last {@link Cuts#clear}; without them the events are
     * what they would be had nobody asked for ids.
     *
     * @return to be read and cleared between two scans
     */
    public Cuts cuts() {
        return cuts;
    }

    /**
     * Up to where the bytes scanned are what they are: behind it lies a field of ids, or what may become one.
     *
     * @return a position in the stream, at most {@link #position()}
     */
    public long safeUntil() {
        return part == Part.DATA ? chunk.safeUntil(position) : position;
    }

    /**
     * Whether the event that has just ended carries no data: a comment, or fields that mean nothing by themselves. A client
     * is told of no such event.
     *
     * @return true for a sign of life
     */
    public boolean isComment() {
        return !hasData;
    }

    /**
     * Whether it is {@code [DONE]}.
     *
     * @return true for the end mark
     */
    public boolean isDone() {
        return hasData && head.is(DONE);
    }

    /**
     * Whether it says that the request failed.
     *
     * @return true for an error in-band
     */
    public boolean isError() {
        return chunk.error() || eventName.is(ERROR);
    }

    /**
     * Whether it ends a choice, well or not.
     *
     * @return true if it has a finish reason
     */
    public boolean isFinish() {
        return finishedChoice;
    }

    /**
     * Whether it ends a choice because the server gave it up.
     *
     * @return true for {@code abort}, {@code error} and reasons that are not known
     */
    public boolean isAbort() {
        return abortedChoice;
    }

    /**
     * Whether it carries something generated: text, reasoning, a tool call, token ids.
     *
     * @return true for a first or further token
     */
    public boolean hasContent() {
        return chunk.content();
    }

    /**
     * Whether it carries something that can be shown: text, reasoning, a tool call. Ids may run ahead of it, in the middle
     * of a character or of what may become a stop string.
     *
     * @return true if the client has something new to show
     */
    public boolean isShown() {
        return chunk.shown();
    }

    /**
     * Whether it carries ids of generated tokens.
     *
     * @return true for at least one
     */
    public boolean hasTokenIds() {
        return chunk.ids();
    }

    /**
     * Whether it carries reasoning.
     *
     * @return true for text that is not the answer's
     */
    public boolean isReasoning() {
        return chunk.reasoning();
    }

    /**
     * Whether it carries a piece of a tool call.
     *
     * @return true for tool calls, also of the old kind
     */
    public boolean isToolCall() {
        return chunk.toolCall();
    }

    /**
     * Whether it only says who speaks, as the first chunk of a chat does, before anything was generated.
     *
     * @return true for a role without content and without an end
     */
    public boolean isRoleOnly() {
        return chunk.role() && !chunk.content() && !finishedChoice;
    }

    /**
     * What to think of the stream if it ended now.
     *
     * @return the verdict
     */
    public Verdict verdict() {
        if (failed) {
            return Verdict.FAILED;
        }
        if (aborted) {
            return Verdict.ABORTED;
        }
        return (typed ? typedEnd : allChoicesFinished() && (done || lastWasUsage))
                ? Verdict.COMPLETE
                : Verdict.TRUNCATED;
    }

    private boolean allChoicesFinished() {
        return !finished.isEmpty() && finished.cardinality() >= expectedChoices && finished.equals(seen);
    }

    private void beginEvent() {
        eventEnded = false;
        hasData = false;
        finishedChoice = false;
        abortedChoice = false;
        eventName.clear();
        head.clear();
        chunk.reset();
        beginLine();
    }

    private void beginLine() {
        part = Part.NAME;
        name.clear();
    }

    /** Goes over the block; returns the index behind the event's end, or -1 if it is not in it. */
    private int endOfEvent(int length) {
        int at = 0;
        while (at < length) {
            byte b = block[at];
            if (part == Part.DATA && (b == '\n' || b == '\r')) {
                chunk.endLine(position + at);
            }
            if (b == '\n') {
                at++;
                if (part == Part.NAME && name.length() == 0) {
                    endEvent();
                    return at;
                }
                beginLine();
            } else if (b == '\r') { // only ever part of a line's end
                at++;
            } else if (part == Part.DATA) {
                int end = chunk.read(block, at, length, position);
                head.add(block, at, end);
                at = end;
            } else {
                at += inLine(b) ? 1 : 0;
            }
        }
        return -1;
    }

    /** Returns false if the byte has not been used up. */
    private boolean inLine(byte b) {
        switch (part) {
            case NAME -> {
                if (b == ':') {
                    endName();
                } else {
                    name.add(b);
                }
            }
            case FIRST_OF_VALUE -> {
                part = name.is(DATA) ? Part.DATA : Part.EVENT_NAME;
                return b == ' ';
            }
            case EVENT_NAME -> eventName.add(b);
            case DATA, IGNORED -> {}
        }
        return true;
    }

    private void endName() {
        hasData |= name.is(DATA);
        part = name.is(DATA) || name.is(EVENT) ? Part.FIRST_OF_VALUE : Part.IGNORED;
    }

    private void endEvent() {
        eventEnded = true;
        if (!hasData && !isError()) {
            return;
        }
        failed |= isError() || chunk.failure();
        done |= isDone();
        typed |= chunk.typed();
        typedEnd |= chunk.end() || (chunk.messageStop() && allChoicesFinished());
        lastWasUsage = chunk.usage() && !chunk.choice();
    }

    private void onChoiceSeen(int index) {
        if (index < MOST_CHOICES) {
            seen.set(index);
        } else {
            aborted = true;
        }
    }

    private void onChoice(int index, boolean well) {
        finishedChoice = true;
        if (well && index < MOST_CHOICES) {
            finished.set(index);
        } else {
            abortedChoice = true;
            aborted = true;
        }
    }
}
