package dev.tuna.router.proxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import org.jspecify.annotations.Nullable;

/**
 * An answer that is not shown to the client before it is complete, so that a backend which dies in the middle of it can
 * still be replaced by another. Bounded; confined to an event loop.
 */
final class HeldAnswer {

    /** Longer answers are relayed from here on. The longest usual ones, some thousand tokens with log probabilities, fit. */
    static final int MOST_BYTES = 1 << 20;

    private final HttpResponseStatus status;
    private final HttpHeaders headers;
    private final BackendRuntime backend;
    private final MemoryBudget budget;
    private ByteBuf body = Unpooled.EMPTY_BUFFER;
    private int size;

    HeldAnswer(HttpResponseStatus status, HttpHeaders headers, BackendRuntime backend, MemoryBudget budget) {
        this.status = status;
        this.headers = headers;
        this.backend = backend;
        this.budget = budget;
    }

    HttpResponseStatus status() {
        return status;
    }

    HttpHeaders headers() {
        return headers;
    }

    BackendRuntime backend() {
        return backend;
    }

    /** The body so far; still owned by this object. */
    ByteBuf body() {
        return body;
    }

    /**
     * Keeps a piece of the body.
     *
     * @param data belongs to this object if it returns true
     * @param allocator for joining pieces
     * @return false if there is no room for it
     */
    boolean add(ByteBuf data, ByteBufAllocator allocator) {
        int length = data.readableBytes();
        if (size + length > MOST_BYTES || !budget.take(length)) {
            return false;
        }
        if (size == 0) {
            body = data;
        } else {
            joined(allocator).addComponent(true, data);
        }
        size += length;
        return true;
    }

    private CompositeByteBuf joined(ByteBufAllocator allocator) {
        if (body instanceof CompositeByteBuf pieces) {
            return pieces;
        }
        CompositeByteBuf pieces = allocator.compositeBuffer(64).addComponent(true, body);
        body = pieces;
        return pieces;
    }

    /** Hands the body over to whoever writes it. */
    ByteBuf takeBody() {
        ByteBuf taken = body;
        body = Unpooled.EMPTY_BUFFER;
        budget.giveBack(size);
        size = 0;
        return taken;
    }

    void release() {
        takeBody().release();
    }

    static void drop(@Nullable HeldAnswer answer) {
        if (answer != null) {
            answer.release();
        }
    }
}
