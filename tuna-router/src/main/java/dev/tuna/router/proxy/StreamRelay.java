package dev.tuna.router.proxy;

import dev.tuna.router.http.SseScanner;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Passes a backend's events on, each the moment it is complete, and reads along. Confined to an event loop.
 *
 * <p>Only whole events go out, so that an error event of our own never lands inside another. And nothing goes out before
 * the first event that carries something generated: a chat's first chunk only says who speaks and is sent before the
 * model has done anything, so a backend that dies right after it can still be replaced without the client noticing. The
 * client loses nothing by it, since it would have nothing to show.
 */
final class StreamRelay {

    /** An event longer than this goes out in pieces, and what leads up to the first content no longer waits for it. */
    private static final int MOST_HELD_BYTES = 256 << 10;

    /** Where events go, and what became of the stream. */
    interface Sink {

        /**
         * The first events that matter are about to come.
         */
        void firstEvents();

        /**
         * Whole events.
         *
         * @param data to be released by the receiver
         */
        void events(ByteBuf data);

        /**
         * The backend says that it failed.
         *
         * @param told whether the client has been told, by the backend's own error event
         */
        void backendFailed(boolean told);

        /** The stream has said {@code [DONE]} and kept its word: nothing that matters can follow. */
        void streamComplete();
    }

    private final SseScanner scanner;
    private final Sink sink;
    private final ByteBufAllocator allocator;
    private @Nullable ByteBuf kept;
    private boolean flowing;
    private boolean insideEvent;
    private boolean stopped;

    StreamRelay(SseScanner scanner, Sink sink, ByteBufAllocator allocator) {
        this.scanner = scanner;
        this.sink = sink;
        this.allocator = allocator;
    }

    /** Whether the client has got something of the stream. */
    boolean isFlowing() {
        return flowing;
    }

    /** Whether the client has got the beginning of an event that is not complete: then nothing may be put in. */
    boolean isInsideEvent() {
        return insideEvent;
    }

    SseScanner.Verdict verdict() {
        return scanner.verdict();
    }

    /** Takes what the backend sent and releases it in the end. */
    void accept(ByteBuf read) {
        if (stopped) {
            read.release();
            return;
        }
        int begin = read.readerIndex();
        int whole = begin;
        boolean matters = false;
        boolean done = false;
        for (int end = scanner.next(read, whole); end >= 0; end = scanner.next(read, whole)) {
            if (scanner.isError() || scanner.isAbort()) {
                fail(read, begin, whole, end, flowing || matters);
                return;
            }
            matters |= !scanner.isComment() && !scanner.isRoleOnly();
            done |= scanner.isDone();
            whole = end;
        }
        if (!flowing && !matters && !isTooMuch(read)) {
            keep(read);
            return;
        }
        begin();
        pass(read, begin, whole);
        if (done && scanner.verdict() == SseScanner.Verdict.COMPLETE) {
            stopped = true;
            sink.streamComplete();
        }
    }

    private boolean isTooMuch(ByteBuf read) {
        return (kept == null ? 0 : kept.readableBytes()) + read.readableBytes() > MOST_HELD_BYTES;
    }

    private void begin() {
        if (!flowing) {
            flowing = true;
            sink.firstEvents();
        }
    }

    /** Sends what is whole, keeps the rest. */
    private void pass(ByteBuf read, int begin, int whole) {
        boolean all = whole == read.writerIndex();
        if (all || isTooMuch(read)) {
            insideEvent = !all;
            emit(read);
        } else if (whole == begin) {
            if (insideEvent) {
                emit(read);
            } else {
                keep(read);
            }
        } else {
            insideEvent = false;
            ByteBuf rest = allocator.buffer(read.writerIndex() - whole);
            rest.writeBytes(read, whole, read.writerIndex() - whole);
            emit(read.writerIndex(whole));
            kept = rest;
        }
    }

    private void emit(ByteBuf data) {
        @Nullable ByteBuf before = kept;
        kept = null;
        if (before != null) {
            sink.events(before);
        }
        sink.events(data);
    }

    private void keep(ByteBuf data) {
        if (kept == null) {
            kept = data;
        } else if (kept instanceof CompositeByteBuf pieces) {
            pieces.addComponent(true, data);
        } else {
            kept = allocator.compositeBuffer(64).addComponent(true, kept).addComponent(true, data);
        }
    }

    /**
     * The event from {@code whole} to {@code end} says that the backend failed. Its own error is shown to a client that
     * reads already, which is then told; a given up choice is not, for it looks like an end.
     */
    private void fail(ByteBuf read, int begin, int whole, int end, boolean visible) {
        stopped = true;
        boolean told = visible && scanner.isError();
        int until = told ? end : whole;
        if (visible) {
            begin();
        }
        if (visible && until > begin) {
            insideEvent = false;
            emit(read.writerIndex(until));
        } else {
            read.release();
        }
        sink.backendFailed(told);
    }

    /** Drops what was kept back. */
    void release() {
        stopped = true;
        if (kept != null) {
            kept.release();
            kept = null;
        }
    }

    /** The stream has ended well: what was kept back goes out. */
    void finish() {
        begin();
        @Nullable ByteBuf rest = kept;
        kept = null;
        if (rest != null) {
            sink.events(rest);
        }
        stopped = true;
    }
}
