package dev.tuna.router.proxy;

import dev.tuna.router.http.ForwardHeaders;
import dev.tuna.router.http.OpenAiError;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Writes the answer to one request, whole or bit by bit. Knows the framing that the client understands. Confined to the
 * client's event loop.
 */
final class ClientAnswer {

    static final AsciiString X_REQUEST_ID = AsciiString.cached("x-request-id");
    private static final AsciiString X_TUNA_BACKEND = AsciiString.cached("x-tuna-backend");
    private static final AsciiString X_TUNA_TIER = AsciiString.cached("x-tuna-tier");
    private static final AsciiString X_TUNA_ATTEMPTS = AsciiString.cached("x-tuna-attempts");

    /** OpenAI's libraries send a failed request again unless told not to. */
    private static final AsciiString X_SHOULD_RETRY = AsciiString.cached("x-should-retry");

    private static final AsciiString JSON = AsciiString.cached("application/json");
    private static final AsciiString EVENT_STREAM = AsciiString.cached("text/event-stream; charset=utf-8");
    private static final ByteBuf WAITING = Unpooled.unreleasableBuffer(Unpooled.directBuffer()
            .writeBytes(": waiting\n\n".getBytes(StandardCharsets.US_ASCII))
            .asReadOnly());

    private final ClientConnection client;
    private final String requestId;
    private final boolean head;
    private final boolean http10;
    private @Nullable AccessLog log;
    private int attempts;
    private boolean spent;
    private boolean begun;
    private boolean events;
    private boolean chunked;
    private boolean ended;
    private long lastWrite;

    ClientAnswer(ClientConnection client, String requestId, boolean head, boolean http10, long now) {
        this.client = client;
        this.requestId = requestId;
        this.head = head;
        this.http10 = http10;
        this.lastWrite = now;
    }

    /** Whether the client has seen the status. */
    boolean hasBegun() {
        return begun;
    }

    /** Whether nothing more can be said. */
    boolean hasEnded() {
        return ended;
    }

    /** When the client last got something, or its request was accepted. */
    long lastWrite() {
        return lastWrite;
    }

    /** Another attempt is made; said in the header, as far as it is known when that is sent. */
    void attempt() {
        attempts++;
    }

    /** All that could be tried has been tried: the client need not send the request again. */
    void spent() {
        spent = true;
    }

    static HttpHeaders newHeaders() {
        return DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();
    }

    /** The answer is complete: status, header, body at once. The body is released. */
    void whole(HttpResponseStatus status, HttpHeaders headers, ByteBuf body) {
        if (!head && mayHaveBody(status)) {
            headers.set(HttpHeaderNames.CONTENT_LENGTH, Integer.toString(body.readableBytes()));
        }
        mark(headers);
        begun = true;
        ended = true;
        logStatus(status);
        logEnd();
        client.endsWith(
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, body, headers, EmptyHttpHeaders.INSTANCE));
    }

    private static boolean mayHaveBody(HttpResponseStatus status) {
        return status.code() != 204 && status.code() != 304;
    }

    void whole(HeldAnswer answer) {
        from(answer.headers(), answer.backend());
        whole(answer.status(), answer.headers(), answer.takeBody());
    }

    /** The router's own error. In-band if the client is already reading events; cut if it is reading anything else. */
    void error(OpenAiError error) {
        if (events) {
            data(Unpooled.wrappedBuffer(error.sseEvent()), lastWrite);
            logOutcome(error.code());
            end();
        } else if (begun) {
            cut();
        } else {
            HttpHeaders headers = newHeaders();
            headers.set(HttpHeaderNames.CONTENT_TYPE, JSON);
            error.retryAfter().ifPresent(seconds -> headers.set(HttpHeaderNames.RETRY_AFTER, Long.toString(seconds)));
            error.allow().ifPresent(methods -> headers.set(HttpHeaderNames.ALLOW, methods));
            whole(HttpResponseStatus.valueOf(error.status()), headers, Unpooled.wrappedBuffer(error.json()));
        }
    }

    /** Begins an answer whose body follows. */
    void begin(HttpResponseStatus status, HttpHeaders headers, BackendRuntime backend) {
        from(headers, backend);
        begin(status, headers);
    }

    private void begin(HttpResponseStatus status, HttpHeaders headers) {
        if (!headers.contains(HttpHeaderNames.CONTENT_LENGTH) && mayHaveBody(status)) {
            if (http10) {
                client.closeAfterAnswer();
            } else {
                chunked = true;
                headers.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
            }
        }
        mark(headers);
        begun = true;
        logStatus(status);
        client.write(new DefaultHttpResponse(HttpVersion.HTTP_1_1, status, headers));
    }

    /** Begins a stream of events, unless a sign of life has begun it. */
    void beginEvents(HttpResponseStatus status, HttpHeaders headers, BackendRuntime backend) {
        if (!begun) {
            headers.remove(HttpHeaderNames.CONTENT_LENGTH); // signs of life may come in between
            ForwardHeaders.unbuffered(headers);
            events = true;
            begin(status, headers, backend);
        }
    }

    /** Begins a stream of events that is no backend's, or not known to be one's yet. */
    void beginEvents() {
        HttpHeaders headers = newHeaders();
        headers.set(HttpHeaderNames.CONTENT_TYPE, EVENT_STREAM);
        ForwardHeaders.unbuffered(headers);
        events = true;
        begin(HttpResponseStatus.OK, headers);
    }

    /** A comment that keeps whoever is in between from cutting a silent connection. Begins the answer if need be. */
    void signOfLife(long now) {
        if (!begun) {
            beginEvents();
        }
        data(WAITING.duplicate(), now);
        client.flush();
    }

    /** A piece of the body, released when written. */
    void data(ByteBuf data, long now) {
        lastWrite = now;
        if (chunked && data.readableBytes() <= ClientConnection.SMALL_CHUNK) {
            client.writeChunk(data);
        } else {
            client.write(new DefaultHttpContent(data));
        }
    }

    void flush() {
        client.flush();
    }

    boolean isWritable() {
        return client.isWritable();
    }

    void end() {
        ended = true;
        logEnd();
        client.endsWith(LastHttpContent.EMPTY_LAST_CONTENT);
    }

    /** Lets the client see that the answer is incomplete. */
    void cut() {
        ended = true;
        logOutcome("cut");
        logEnd();
        client.cut();
    }

    /** The answer is to be told in the access log. */
    void tellIn(@Nullable AccessLog accessLog) {
        log = accessLog;
    }

    void logOutcome(String outcome) {
        if (log != null) {
            log.outcome(outcome);
        }
    }

    void logEnd() {
        if (log != null) {
            log.write();
        }
    }

    private void logStatus(HttpResponseStatus status) {
        if (log != null) {
            log.status(status.code());
        }
    }

    private static void from(HttpHeaders headers, BackendRuntime backend) {
        headers.set(X_TUNA_BACKEND, backend.id());
        headers.set(X_TUNA_TIER, backend.tierName());
    }

    private void mark(HttpHeaders headers) {
        headers.set(X_REQUEST_ID, requestId);
        if (attempts > 0) {
            headers.set(X_TUNA_ATTEMPTS, Integer.toString(attempts));
        }
        if (spent && !headers.contains(HttpHeaderNames.RETRY_AFTER)) {
            headers.set(X_SHOULD_RETRY, "false");
        }
        client.markConnection(headers);
    }
}
