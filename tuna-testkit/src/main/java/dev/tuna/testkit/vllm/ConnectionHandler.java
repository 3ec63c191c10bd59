package dev.tuna.testkit.vllm;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One connection: gathers requests and answers them one after the other. Confined to the event loop. */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, which is noticed
final class ConnectionHandler extends SimpleChannelInboundHandler<HttpObject> {

    @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
    private record Complete(HttpRequest head, byte[] body) {}

    private final StandInServer server;
    private final long number;
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private final Queue<Complete> pipelined = new ArrayDeque<>();
    private @Nullable HttpRequest head;
    private @Nullable Exchange current;
    private Outcome lost = Outcome.ABORTED;

    ConnectionHandler(StandInServer server, long number) {
        this.server = server;
        this.number = number;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, HttpObject message) throws IOException {
        if (message.decoderResult().isFailure()) {
            refuseGarbage(context);
            return;
        }
        if (message instanceof HttpRequest request) {
            head = request;
            if (HttpUtil.is100ContinueExpected(request)) {
                context.writeAndFlush(new DefaultFullHttpResponse(
                        HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE, Unpooled.EMPTY_BUFFER));
            }
        }
        if (message instanceof HttpContent content) {
            content.content().readBytes(body, content.content().readableBytes());
        }
        if (message instanceof LastHttpContent && head != null) {
            pipelined.add(new Complete(head, body.toByteArray()));
            head = null;
            body.reset();
            next(context);
        }
    }

    private void next(ChannelHandlerContext context) {
        Complete request = current == null && context.channel().isActive() ? pipelined.poll() : null;
        if (request != null) {
            Exchange exchange = exchange(context, request);
            current = exchange;
            exchange.handle();
        }
    }

    private Exchange exchange(ChannelHandlerContext context, Complete complete) {
        HttpRequest request = complete.head();
        List<Map.Entry<String, String>> headers = new ArrayList<>();
        request.headers().forEach(header -> headers.add(Map.entry(header.getKey(), header.getValue())));
        Recording recording = new Recording(
                server.journal().nextNumber(),
                request.method().name(),
                request.uri(),
                headers,
                complete.body(),
                number);
        server.journal().arrived(recording);
        Optional<Fault> fault = server.faults().take(recording.received());
        List<Map.Entry<String, String>> extra = new ArrayList<>();
        if (server.config().requestIdHeaders()) {
            extra.add(Map.entry("X-Request-Id", requestId(recording.received())));
        }
        fault.filter(given -> given.is(Fault.Kind.STATUS) && !given.pause().isZero())
                .ifPresent(given -> extra.add(
                        Map.entry("Retry-After", Long.toString(given.pause().toSeconds()))));
        return new Exchange(
                server,
                recording,
                fault,
                (given, ending) -> new Answer(
                        context.channel(),
                        request.protocolVersion(),
                        HttpUtil.isKeepAlive(request),
                        given,
                        extra,
                        ending),
                () -> answered(context));
    }

    static String requestId(RecordedRequest request) {
        return request.header("X-Request-Id")
                .orElseGet(() -> UUID.nameUUIDFromBytes(
                                Long.toString(request.number()).getBytes(StandardCharsets.UTF_8))
                        .toString()
                        .replace("-", ""));
    }

    private void answered(ChannelHandlerContext context) {
        current = null;
        server.exchangeOver();
        context.executor().execute(() -> next(context));
    }

    private static void refuseGarbage(ChannelHandlerContext context) {
        byte[] text = "Invalid HTTP request received.".getBytes(StandardCharsets.UTF_8);
        var response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, HttpResponseStatus.BAD_REQUEST, Unpooled.wrappedBuffer(text));
        response.headers().set("content-type", "text/plain; charset=utf-8").set("content-length", text.length);
        response.headers().set("connection", "close");
        context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
    }

    boolean busy() {
        return current != null;
    }

    /** What an unfinished exchange is called when the connection goes. */
    void losesAs(Outcome outcome) {
        lost = outcome;
    }

    void abort() {
        if (current != null) {
            current.abort();
        }
    }

    void closeAfterwards() {
        if (current != null) {
            current.closeAfterwards();
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext context) throws Exception {
        server.connected(context.channel(), this);
        super.channelActive(context);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        Exchange unfinished = current;
        current = null;
        pipelined.clear();
        if (unfinished != null) {
            unfinished.disconnected(lost);
        }
        server.disconnected(context.channel());
        super.channelInactive(context);
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) throws Exception {
        if (current != null && context.channel().isWritable()) {
            current.writabilityChanged();
        }
        super.channelWritabilityChanged(context);
    }

    /** A reset by the client: the closing that follows does all there is to do. */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!(cause instanceof IOException)) {
            server.log().warn("stand-in connection failed", cause);
        }
        context.close();
    }
}
