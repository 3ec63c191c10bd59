package dev.tuna.router.proxy;

import dev.tuna.router.http.SseScanner;
import dev.tuna.router.http.SseScanner.Verdict;
import dev.tuna.router.stream.SeamFilter;
import dev.tuna.router.stream.SeamFilter.Chunk;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.io.UncheckedIOException;

/**
 * Passes the rest of a stream on that has broken elsewhere, so that the client gets one stream. Nothing goes out before the
 * backend has shown that it goes on from the right place. Confined to an event loop.
 *
 * <p>Unlike {@link StreamRelay} it builds every event anew; such streams are rare.
 */
final class SeamRelay implements Relay {

    /** Longer events are not rewritten, and no more waits for its text; but for the echo of the ids that were sent. */
    private static final int MOST_HELD_BYTES = 256 << 10;

    /** What a relay may hold without asking, like the buffers of any connection. */
    private static final int FREE_BYTES = 4 << 10;

    /** An event is held in a buffer that grows by doubling, and once more when it is rewritten. */
    private static final long COPIES = 3;

    /** How much is asked for at once. */
    private static final int STEP_BYTES = 16 << 10;

    /** An id of up to eleven characters, and its comma. */
    private static final int ID_TEXT_BYTES = 12;

    private final SseScanner scanner;
    private final Continuation continuation;
    private final SeamFilter filter;
    private final Echo echo;
    private final Sink sink;
    private final long most;
    private ByteArrayOutputStream event = new ByteArrayOutputStream(512);
    private ByteArrayOutputStream held = new ByteArrayOutputStream(512);
    private boolean flowing;
    private boolean stopped;
    private boolean cutShort;
    private long room = FREE_BYTES;

    SeamRelay(Continuation continuation, Echo echo, SeamFilter filter, Sink sink) {
        this.scanner = new SseScanner(1, echo);
        this.continuation = continuation;
        this.echo = echo;
        this.filter = filter;
        this.sink = sink;
        this.most = MOST_HELD_BYTES + ID_TEXT_BYTES * (long) echo.expected();
    }

    @Override
    public boolean isFlowing() {
        return flowing;
    }

    @Override
    public boolean isInsideEvent() {
        return false;
    }

    @Override
    public Verdict verdict() {
        return cutShort ? Verdict.COMPLETE : scanner.verdict();
    }

    @Override
    public void accept(ByteBuf read) {
        try {
            readOn(read);
        } catch (UncheckedIOException e) { // no JSON: nobody can tell what it says
            breakOff();
        } finally {
            read.release();
        }
    }

    private void readOn(ByteBuf read) {
        int from = read.readerIndex();
        int end = stopped ? -1 : scanner.next(read, from);
        while (end >= 0) {
            add(read, from, end);
            byte[] whole = event.toByteArray();
            event.reset();
            if (!stopped) {
                onEvent(whole);
            }
            if (room > FREE_BYTES && held.size() == 0) {
                giveBack();
            }
            from = end;
            end = stopped ? -1 : scanner.next(read, from);
        }
        if (!stopped) {
            add(read, from, read.writerIndex());
        }
    }

    /** Whether so much more may be held. */
    private boolean mayHold(int more) {
        long size = (long) event.size() + held.size() + more;
        if (size > room && size <= most) {
            long next = Math.min(most, size + STEP_BYTES);
            room = continuation.memory().take(COPIES * (next - room)) ? next : room;
        }
        return size <= room;
    }

    private void giveBack() {
        continuation.memory().giveBack(COPIES * (room - FREE_BYTES));
        room = FREE_BYTES;
        event = new ByteArrayOutputStream(512);
        held = new ByteArrayOutputStream(512);
    }

    private void add(ByteBuf read, int from, int to) {
        if (!mayHold(to - from)) {
            tooMuch();
            return;
        }
        byte[] bytes = new byte[to - from];
        read.getBytes(from, bytes);
        event.writeBytes(bytes);
    }

    private void onEvent(byte[] whole) {
        if (scanner.isError() || scanner.isAbort()) {
            fail(whole);
        } else if (scanner.isDone()) {
            done(whole);
        } else if (!scanner.isComment()) {
            if (isTrusted()) {
                pass(filter.rewrite(whole, scanner.isFinish(), continuation.generated()));
            } else if (flowing) { // too late to have meant something else: it breaks here
                breakOff();
            } else {
                stopped = true;
                continuation.echoed(false);
                sink.didNotGoOn("the backend did not go on from where the stream had broken");
            }
        }
    }

    /** An echo that differs is never believed; a backend that echoes nothing only if it cannot have misunderstood. */
    private boolean isTrusted() {
        if (echo.hasBegun()) {
            return echo.isRight();
        }
        return !echo.isNeeded() || (!scanner.hasContent() && !scanner.isFinish());
    }

    /** For want of memory nobody is blamed before the client has got something. */
    private void tooMuch() {
        if (flowing) {
            breakOff();
        } else {
            stopped = true;
            sink.didNotGoOn("its answer takes more memory than there is");
        }
    }

    private void breakOff() {
        stopped = true;
        sink.backendFailed(Unpooled.EMPTY_BUFFER, false);
    }

    private void fail(byte[] whole) {
        stopped = true;
        boolean told = flowing && scanner.isError();
        if (told) {
            held.writeBytes(whole);
        }
        sink.backendFailed(Unpooled.wrappedBuffer(held.toByteArray()), told);
    }

    private void pass(Chunk chunk) {
        if (continuation.readsText() && chunk.shown()) {
            continuation.said(chunk.event());
        }
        if (scanner.hasContent()) {
            sink.generated(1);
        }
        boolean matters = chunk.shown() || scanner.isFinish() || filter.isStopped() || isUsage();
        continuation.passing(scanner, matters);
        if (matters) {
            begin();
            held.writeBytes(chunk.event());
            emitHeld();
            if (filter.isStopped()) {
                stop();
            }
        } else if (scanner.hasTokenIds() && mayHold(chunk.event().length)) {
            held.writeBytes(chunk.event());
        } else if (scanner.hasTokenIds()) {
            tooMuch();
        }
    }

    private boolean isUsage() {
        return flowing && !scanner.hasContent() && !scanner.isRoleOnly() && !scanner.hasTokenIds();
    }

    /** The router has found a stop string; the backend knows of none and would go on. */
    private void stop() {
        cutShort = true;
        sink.events(Unpooled.wrappedBuffer(continuation.ending(filter)));
        stopped = true;
        sink.streamComplete();
    }

    private void done(byte[] whole) {
        if (scanner.verdict() == Verdict.COMPLETE) {
            finish();
            sink.streamComplete();
        } else {
            fail(whole);
        }
    }

    private void begin() {
        if (!flowing) {
            flowing = true;
            continuation.echoed(true);
            sink.firstEvents();
        }
    }

    private void emitHeld() {
        if (held.size() > 0) {
            sink.events(Unpooled.wrappedBuffer(held.toByteArray()));
            held.reset();
        }
    }

    @Override
    public void flush() {
        emitHeld();
    }

    /** The end mark is the router's own, since a backend may leave it out behind a usage chunk. */
    @Override
    public void finish() {
        begin();
        emitHeld();
        sink.events(Unpooled.wrappedBuffer(Continuation.DONE.clone()));
        stopped = true;
    }

    @Override
    public void release() {
        stopped = true;
        giveBack();
    }
}
