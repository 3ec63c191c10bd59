package dev.tuna.router.proxy;

import dev.tuna.router.http.Cuts;
import dev.tuna.router.http.SseScanner;
import dev.tuna.router.stream.SeamFilter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/**
 * Passes a backend's events on, each the moment it is complete, and reads along. Confined to an event loop.
 *
 * <p>Only whole events go out, so that an error event of our own never lands inside another. And nothing goes out before
 * the first event that carries something generated: a chat's first chunk only says who speaks and is sent before the
 * model has done anything, so a backend that dies right after it can still be replaced without the client noticing. The
 * client loses nothing by it, since it would have nothing to show.
 *
 * <p>Of a stream that may be continued, events with token ids and no text wait for the one that shows their text, so that
 * what the client has got ends where a token ends; and ids that the client did not ask for are taken out.
 */
final class StreamRelay implements Relay {

    /** An event longer than this goes out in pieces, and what leads up to the first content no longer waits for it. */
    private static final int MOST_HELD_BYTES = 256 << 10;

    private final SseScanner scanner;
    private final Sink sink;
    private final ByteBufAllocator allocator;
    private final @Nullable Continuation continuation;
    private final boolean endIsKnown;
    private final boolean strips;
    private @Nullable ByteBuf kept;
    private int keptWhole;
    private boolean cutApplied;
    private boolean flowing;
    private boolean insideEvent;
    /** Of the event that goes out in pieces. */
    private byte[] beginning = {};

    private boolean stopped;

    /**
     * Nothing passed on yet.
     *
     * @param continuation written to as events pass; null if the stream will not be continued
     * @param endIsKnown whether a stream that says {@code [DONE]} before its choices are finished has been cut
     */
    StreamRelay(
            SseScanner scanner,
            Sink sink,
            ByteBufAllocator allocator,
            @Nullable Continuation continuation,
            boolean endIsKnown) {
        this.endIsKnown = endIsKnown;
        this.scanner = scanner;
        this.sink = sink;
        this.allocator = allocator;
        this.continuation = continuation;
        this.strips = continuation != null && continuation.stripsIds();
    }

    @Override
    public boolean isFlowing() {
        return flowing;
    }

    @Override
    public boolean isInsideEvent() {
        return insideEvent;
    }

    @Override
    public SseScanner.Verdict verdict() {
        return scanner.verdict();
    }

    @Override
    public void accept(ByteBuf read) {
        if (stopped) {
            read.release();
            return;
        }
        Piece piece = new Piece(read, scanner.position());
        int content = 0;
        boolean matters = false;
        boolean done = false;
        for (int end = scanner.next(read, piece.from); end >= 0; end = done ? -1 : scanner.next(read, piece.from)) {
            if (scanner.isError() || scanner.isAbort() || isFalseEnd()) {
                fail(piece, end, flowing || matters);
                return;
            }
            piece.take(end);
            boolean noneWaits = (matters || keptWhole == 0) && piece.passable == piece.event;
            boolean goes = insideEvent || mayGo((matters || flowing) && noneWaits);
            if (continuation != null) {
                note(continuation, piece, goes);
            }
            if (goes) {
                matters = true;
                insideEvent = false;
                piece.passable = piece.to;
            }
            content += scanner.hasContent() ? 1 : 0;
            done = scanner.isDone() && scanner.verdict() == SseScanner.Verdict.COMPLETE;
        }
        if (content > 0) {
            sink.generated(content);
        }
        if (done) {
            read.writerIndex(piece.to); // nothing follows the end
        } else {
            piece.takeRest();
        }
        if (!flowing && !matters && !isTooMuch(read)) {
            keep(read, piece.to - piece.begin);
            return;
        }
        begin();
        pass(piece, matters);
        if (done) {
            stopped = true;
            sink.streamComplete();
        }
    }

    /** An end mark that came too early: the client would take half an answer for a whole one. */
    private boolean isFalseEnd() {
        return endIsKnown && scanner.isDone() && scanner.verdict() == SseScanner.Verdict.TRUNCATED;
    }

    private void note(Continuation record, Piece piece, boolean goes) {
        if (record.wantsFirstEvent() && !scanner.isComment()) {
            record.firstEvent(insideEvent ? beginning : bytesOf(piece, SeamFilter.HEAD_BYTES));
        }
        if (record.readsText() && scanner.isShown()) {
            if (insideEvent) {
                record.saidSomething();
            } else {
                record.said(bytesOf(piece, Integer.MAX_VALUE));
            }
        }
        record.passing(scanner, goes);
    }

    private byte[] bytesOf(Piece piece, int most) {
        return bytes(piece, piece.event, piece.to, most);
    }

    /** Of an event that may have begun in what was kept. */
    private byte[] bytes(Piece piece, int from, int to, int most) {
        int before = kept != null && from == piece.begin ? Math.min(most, kept.readableBytes() - keptWhole) : 0;
        byte[] event = new byte[Math.min(most, before + to - from)];
        if (before > 0 && kept != null) {
            kept.getBytes(kept.readerIndex() + keptWhole, event, 0, before);
        }
        piece.read.getBytes(from, event, before, event.length - before);
        return event;
    }

    /**
     * Whether the event that has just ended need not wait for another.
     *
     * @param allBeforeGo whether the stream has begun for the client and no event waits
     */
    private boolean mayGo(boolean allBeforeGo) {
        if (scanner.isComment() || scanner.isRoleOnly()) {
            return allBeforeGo;
        }
        return continuation == null || !scanner.hasTokenIds() || scanner.isShown() || scanner.isFinish();
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

    /** Sends what may go, keeps the rest. */
    private void pass(Piece piece, boolean matters) {
        ByteBuf read = piece.read;
        if (insideEvent || isTooMuch(read)) {
            spill(piece);
        } else if (!matters) {
            keep(read, piece.to - piece.begin);
        } else if (piece.passable == read.writerIndex()) {
            emit(read);
        } else {
            int rest = read.writerIndex() - piece.passable;
            ByteBuf later = allocator.buffer(rest);
            later.writeBytes(read, piece.passable, rest);
            emit(read.writerIndex(piece.passable));
            kept = later;
            keptWhole = piece.to - piece.passable;
        }
    }

    /** There is too much to wait for: all goes out but what may yet have to be taken out. */
    private void spill(Piece piece) {
        ByteBuf read = piece.read;
        boolean all = piece.to == read.writerIndex();
        if (!all && !insideEvent) {
            beginning = bytes(piece, piece.to, read.writerIndex(), SeamFilter.HEAD_BYTES);
        }
        int unsure = cutApplied ? 0 : (int) Math.min(scanner.position() - scanner.safeUntil(), read.readableBytes());
        ByteBuf later = allocator.buffer(Math.max(1, unsure));
        later.writeBytes(read, read.writerIndex() - unsure, unsure);
        emit(read.writerIndex(read.writerIndex() - unsure));
        if (unsure > 0) {
            kept = later;
        } else {
            later.release();
        }
        insideEvent = !all;
        if (continuation != null) {
            continuation.settle();
        }
    }

    private void emit(ByteBuf data) {
        @Nullable ByteBuf before = kept;
        kept = null;
        keptWhole = 0;
        if (before != null) {
            sink.events(before);
        }
        sink.events(data);
    }

    private void keep(ByteBuf data, int whole) {
        if (kept == null) {
            kept = data;
            keptWhole = whole;
            return;
        }
        if (whole > 0) {
            keptWhole = kept.readableBytes() + whole;
        }
        ByteBuf joined = kept;
        if (joined.maxFastWritableBytes() < data.readableBytes()) {
            joined = allocator.buffer(2 * (kept.readableBytes() + data.readableBytes()));
            joined.writeBytes(kept);
            kept.release();
        }
        joined.writeBytes(data);
        data.release();
        kept = joined;
    }

    /**
     * The event up to {@code end} says that the backend failed. Its own error is shown to a client that reads already, if
     * nobody goes on with the stream; a given up choice is not, for it looks like an end.
     */
    private void fail(Piece piece, int end, boolean visible) {
        stopped = true;
        boolean told = visible && scanner.isError();
        if (!visible) {
            piece.read.release();
            sink.backendFailed(Unpooled.EMPTY_BUFFER, false);
            return;
        }
        if (told) {
            piece.take(end);
        }
        ByteBuf words = allocator.buffer(piece.to - piece.passable + 1);
        if (piece.passable > piece.begin) {
            begin();
            words.writeBytes(piece.read, piece.passable, piece.to - piece.passable);
            emit(piece.read.writerIndex(piece.passable));
        } else {
            if (kept != null) { // of an event that was given up, only its beginning
                words.writeBytes(kept, piece.to == piece.begin ? keptWhole : kept.readableBytes());
                kept.release();
                kept = null;
            }
            words.writeBytes(piece.read, piece.begin, piece.to - piece.begin);
            piece.read.release();
        }
        keptWhole = 0;
        insideEvent &= !told;
        sink.backendFailed(words, told);
    }

    @Override
    public void release() {
        stopped = true;
        if (kept != null) {
            kept.release();
            kept = null;
        }
    }

    @Override
    public void flush() {
        if (kept != null && keptWhole > 0) {
            sink.events(kept.readRetainedSlice(keptWhole));
            keptWhole = 0;
        }
    }

    @Override
    public void finish() {
        begin();
        @Nullable ByteBuf rest = kept;
        kept = null;
        if (rest != null) {
            sink.events(rest);
        }
        stopped = true;
    }

    /** What was read at once, on its way to being what the client gets: stretches that are taken out are closed up. */
    private final class Piece {
        private final ByteBuf read;
        private final int begin;
        private final long offset;
        /** The first byte that has not been looked at. */
        private int from;
        /** Behind the last byte that stays. */
        private int to;
        /** Where the last whole event begins among the bytes that stay. */
        private int event;
        /** Behind the last event that may go. */
        private int passable;

        private int cut;

        Piece(ByteBuf read, long position) {
            this.read = read;
            begin = read.readerIndex();
            offset = position - begin;
            from = begin;
            to = begin;
            event = begin;
            passable = begin;
        }

        /** One more event. */
        void take(int end) {
            event = to;
            closeUp(end);
        }

        /** The beginning of an event whose end has not come. */
        void takeRest() {
            int whole = to;
            closeUp(read.writerIndex());
            read.writerIndex(to);
            to = whole;
            Cuts cuts = scanner.cuts();
            cuts.clear();
            cutApplied = strips && cuts.count() > 0;
        }

        private void closeUp(int end) {
            Cuts cuts = scanner.cuts();
            while (strips && cut < cuts.count() && cuts.from(cut) - offset < end) {
                long cutFrom = cuts.from(cut) - offset;
                if (cutFrom < begin && !cutApplied && kept != null) {
                    kept.writerIndex(kept.writerIndex() - (int) (begin - cutFrom));
                }
                cutApplied = false;
                move((int) Math.max(begin, cutFrom));
                boolean open = cuts.to(cut) == Long.MAX_VALUE;
                from = open ? end : (int) Math.min(end, cuts.to(cut) - offset);
                cut++;
            }
            move(end);
        }

        private void move(int end) {
            int length = end - from;
            if (length > 0) {
                if (to != from) {
                    read.setBytes(to, read, from, length);
                }
                to += length;
                from = end;
            }
        }
    }
}
