package dev.tuna.testkit.vllm;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The response to one request on its way out: head, body, end, or a violent end. Applies the faults that change how a
 * body looks. Confined to the event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, which is noticed
final class Answer {

    private static final Logger LOG = LoggerFactory.getLogger(VllmStandIn.class);

    private final Channel channel;
    private final Optional<Fault> fault;
    private final Ending ending;
    private final HttpVersion version;
    private final List<Map.Entry<String, String>> headers;
    private boolean keepAlive;
    private @Nullable Body body;

    Answer(
            Channel channel,
            HttpVersion version,
            boolean keepAlive,
            Optional<Fault> fault,
            List<Map.Entry<String, String>> headers,
            Ending ending) {
        this.channel = channel;
        this.version = version;
        this.keepAlive = keepAlive;
        this.fault = fault;
        this.headers = headers;
        this.ending = ending;
    }

    /** Told of the end twice, so that whoever has read the answer finds the books up to date. */
    interface Ending {
        void beforeLastByte();

        void afterLastByte();
    }

    void closeAfterwards() {
        keepAlive = false;
    }

    boolean keepsAlive() {
        return keepAlive;
    }

    /** Sends everything at once, with a length. */
    void whole(int status, String type, byte[] bytes) {
        byte[] padded = padding().length == 0 ? bytes : join(bytes, padding());
        byte[] coded = has(Fault.Kind.GZIP) ? GzipBody.whole(padded) : padded;
        HttpResponse head = head(status, type);
        head.headers().set(HttpHeaderNames.CONTENT_LENGTH, coded.length);
        channel.write(head);
        body = plain();
        body.write(coded);
        body.end();
    }

    /** Sends the head of a stream at once. */
    void begin(String type) {
        HttpResponse head = head(200, type);
        if (version.equals(HttpVersion.HTTP_1_0)) {
            keepAlive = false;
            head.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        } else {
            head.headers().set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        }
        channel.writeAndFlush(head);
        body = has(Fault.Kind.GZIP) ? new GzipBody(plain()) : plain();
        if (padding().length > 0) {
            body.write(join(":".getBytes(StandardCharsets.UTF_8), padding()));
            body.write("\n\n".getBytes(StandardCharsets.UTF_8));
        }
    }

    void write(byte[] bytes) {
        started().write(bytes);
    }

    void end() {
        started().end();
    }

    void flush() {
        channel.flush();
    }

    boolean writable() {
        return body == null || body.writable();
    }

    /** Closes with RST, so that the other side learns of it whatever it is doing. */
    void reset() {
        reset(channel);
    }

    static void reset(Channel channel) {
        channel.flush();
        try {
            channel.config().setOption(ChannelOption.SO_LINGER, 0);
        } catch (ChannelException alreadyClosed) {
            LOG.debug("the connection to be reset was closed already", alreadyClosed);
        }
        channel.close();
    }

    /** Closes with FIN. */
    void eof() {
        channel.flush();
        channel.close();
    }

    /** Sends a head and nothing after it. */
    void headOnly(boolean stream) {
        HttpResponse head = head(200, stream ? "text/event-stream; charset=utf-8" : "application/json");
        if (stream) {
            head.headers().set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        } else {
            head.headers().set(HttpHeaderNames.CONTENT_LENGTH, 1000);
        }
        channel.writeAndFlush(head);
    }

    private HttpResponse head(int status, String type) {
        HttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status));
        head.headers()
                .set("date", DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC)))
                .set("server", "uvicorn");
        if (!type.isEmpty()) {
            head.headers().set(HttpHeaderNames.CONTENT_TYPE, type);
        }
        headers.forEach(header -> head.headers().add(header.getKey(), header.getValue()));
        if (has(Fault.Kind.GZIP)) {
            head.headers().set(HttpHeaderNames.CONTENT_ENCODING, "gzip");
        }
        if (has(Fault.Kind.REPEATED_HEADERS)) {
            head.headers().add("Set-Cookie", List.of("a=1; Path=/", "b=2; Path=/"));
            head.headers().add("X-Repeated", List.of("first", "second"));
        }
        if (!keepAlive) {
            head.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        } else if (version.equals(HttpVersion.HTTP_1_0)) {
            head.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
        }
        return head;
    }

    private Body plain() {
        Body direct = new DirectBody();
        return has(Fault.Kind.SLOW_BODY) ? new SlowBody(channel, fault.orElseThrow(), direct) : direct;
    }

    private Body started() {
        if (body == null) {
            throw new IllegalStateException("the head of the answer must be sent first");
        }
        return body;
    }

    private boolean has(Fault.Kind kind) {
        return fault.isPresent() && fault.get().is(kind);
    }

    private byte[] padding() {
        return has(Fault.Kind.HUGE_BODY)
                ? " ".repeat(fault.orElseThrow().bytes()).getBytes(StandardCharsets.UTF_8)
                : new byte[0];
    }

    private static byte[] join(byte[] first, byte[] second) {
        byte[] all = new byte[first.length + second.length];
        System.arraycopy(first, 0, all, 0, first.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }

    /** Bytes on their way to the channel. */
    interface Body {
        void write(byte[] bytes);

        void end();

        boolean writable();
    }

    private final class DirectBody implements Body {
        @Override
        public void write(byte[] bytes) {
            channel.write(new DefaultHttpContent(Unpooled.wrappedBuffer(bytes)), channel.voidPromise());
        }

        @Override
        public void end() {
            ending.beforeLastByte();
            var sent = channel.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT);
            if (!keepAlive) {
                sent.addListener(ChannelFutureListener.CLOSE);
            }
            ending.afterLastByte();
        }

        @Override
        public boolean writable() {
            return channel.isWritable();
        }
    }
}
