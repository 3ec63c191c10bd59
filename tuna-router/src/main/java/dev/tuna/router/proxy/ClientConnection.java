package dev.tuna.router.proxy;

import static java.util.Objects.requireNonNull;

import dev.tuna.router.admin.AdminAnswer;
import dev.tuna.router.http.ClientWishes;
import dev.tuna.router.http.OpenAiError;
import dev.tuna.router.http.PathRules;
import dev.tuna.router.http.RefusedException;
import dev.tuna.router.http.RequestBody;
import dev.tuna.router.http.RequestChecks;
import dev.tuna.router.http.RequestTarget;
import dev.tuna.router.http.RequestTarget.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client's connection: reads one request after the other, whole, has it answered, and only then looks at the next, so
 * that pipelined requests are answered in order. Confined to its event loop.
 *
 * <p>It goes on reading while a request is answered, because that is how a client that leaves is noticed; what comes early
 * is kept up to a bound.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, which is noticed
final class ClientConnection extends ChannelInboundHandlerAdapter {

    private static final Logger LOG = LoggerFactory.getLogger(ClientConnection.class);

    /** Pipelined bytes kept while a request is answered; beyond it the connection is not read. */
    private static final int MOST_EARLY_BYTES = 64 << 10;

    /** After an answer that ends a connection: for the client to read it before a reset could destroy it. */
    private static final long LINGER_NANOS = 2_000_000_000L;

    /** How often a client that has shut down its sending side is asked whether it still listens. */
    private static final long ASK_NANOS = 250_000_000L;

    /** Up to this size copying is cheaper than another part of a gathering write. */
    static final int SMALL_CHUNK = 4096;

    private static final int CHUNK_FRAMING = 8;
    private static final int CRLF = '\r' << 8 | '\n';

    private static final RequestTarget NOWHERE = new RequestTarget(Kind.ADMIN, "", "");

    private enum State {
        HEAD,
        BODY,
        ANSWERING,
        LINGERING
    }

    /** A request that is being read, or that was refused and is being read over. */
    private record Incoming(
            HttpRequest head,
            RequestTarget target,
            String id,
            @Nullable OpenAiError refusal) {}

    private final ProxyServer server;
    private final Loop loop;
    private final Channel channel;
    private final AnswerEncoder encoder;
    private final ChannelHandlerContext beyondEncoder;
    private final String address;
    private final boolean tls;
    private final Deque<HttpObject> early = new ArrayDeque<>();
    private final Sweeper.Member limits = new Sweeper.Member() {
        @Override
        void sweep(long now) {
            checkTime(now);
        }
    };

    private State state = State.HEAD;
    private @Nullable Incoming incoming;
    private ByteBuf body = Unpooled.EMPTY_BUFFER;
    private @Nullable Exchange exchange;
    private @Nullable EventStream events;
    private int earlyBytes;
    private boolean draining;
    private boolean keepAlive = true;
    private boolean http10;
    private boolean inputShut;
    private boolean gotMessage;
    private boolean headBegun;
    private boolean written;
    private long since;
    private long askedAt;
    private String lastKey = "";
    private byte @Nullable [] lastKeyHash;

    ClientConnection(ProxyServer server, Loop loop, Channel channel, AnswerEncoder encoder) {
        this.server = server;
        this.loop = loop;
        this.channel = channel;
        this.encoder = encoder;
        this.beyondEncoder = channel.pipeline().context(encoder);
        this.tls = server.config().tls().isPresent();
        this.address = channel.remoteAddress() instanceof InetSocketAddress remote
                ? remote.getAddress().getHostAddress()
                : "unknown";
        this.since = loop.now();
    }

    // --- what an exchange needs ---

    String address() {
        return address;
    }

    boolean isTls() {
        return tls;
    }

    ByteBufAllocator allocator() {
        return channel.alloc();
    }

    boolean isWritable() {
        return channel.isWritable();
    }

    ClientAnswer answerTo(ClientRequest request, long now) {
        return new ClientAnswer(this, request.id(), request.isHead(), request.isHttp10(), now);
    }

    void write(HttpObject part) {
        written = true;
        channel.write(part);
    }

    void flush() {
        beyondEncoder.flush();
    }

    /**
     * Writes a small piece of a chunked body: copied into one buffer with its framing, past the encoder, which would make
     * three of it. Most events are that small, and this is what each of them costs.
     */
    void writeChunk(ByteBuf data) {
        int length = data.readableBytes();
        if (length == 0) {
            data.release(); // an empty chunk would be the last
            return;
        }
        ByteBuf chunk = channel.alloc().directBuffer(length + CHUNK_FRAMING);
        for (int shift = length > 0xFFF ? 12 : length > 0xFF ? 8 : length > 0xF ? 4 : 0; shift >= 0; shift -= 4) {
            chunk.writeByte("0123456789abcdef".charAt(length >> shift & 0xF));
        }
        chunk.writeShort(CRLF);
        chunk.writeBytes(data, data.readerIndex(), length);
        chunk.writeShort(CRLF);
        data.release();
        beyondEncoder.write(chunk, beyondEncoder.voidPromise());
    }

    /** Writes the last part of an answer; the connection then goes on to the next request. */
    void endsWith(HttpObject part) {
        exchange = null;
        events = null;
        if (keepAlive && !server.isClosing()) {
            channel.writeAndFlush(part);
            next();
        } else {
            linger();
            channel.writeAndFlush(part).addListener(done -> shutdownOutput());
        }
    }

    void cut() {
        exchange = null;
        channel.close();
    }

    /** For answers whose end only the connection's end can show. */
    void closeAfterAnswer() {
        keepAlive = false;
    }

    /** Says whether the connection goes on. */
    void markConnection(HttpHeaders headers) {
        if (!keepAlive || server.isClosing()) {
            keepAlive = false;
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        } else if (http10) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
        }
    }

    /** Gives back a request's body. */
    void release(ByteBuf kept) {
        server.bodyMemory().giveBack(kept.readableBytes());
        kept.release();
    }

    // --- reading ---

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        loop.connections().add(limits);
        server.opened(this);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        gotMessage = true;
        HttpObject part = (HttpObject) message;
        if (state == State.LINGERING) {
            ReferenceCountUtil.release(part);
        } else if (state == State.ANSWERING || draining) {
            keepForLater(part);
        } else {
            take(part);
        }
    }

    private void keepForLater(HttpObject part) {
        early.add(part);
        earlyBytes += part instanceof HttpContent content ? content.content().readableBytes() : 512;
        if (earlyBytes > MOST_EARLY_BYTES) {
            channel.config().setAutoRead(false);
        }
    }

    private void take(HttpObject part) {
        if (part instanceof HttpRequest head) {
            begin(head);
        }
        if (!(part instanceof HttpContent content)) {
            return;
        }
        if (state != State.BODY) {
            content.release();
            return;
        }
        try {
            add(content);
            if (content instanceof LastHttpContent) {
                dispatch();
            }
        } catch (RefusedException e) {
            answer(e.error());
        }
    }

    /** What is wrong with a head is said at once if a body would follow, which is then not read. */
    private void begin(HttpRequest head) {
        headBegun = false;
        since = loop.now();
        keepAlive = false;
        http10 = head.protocolVersion().equals(HttpVersion.HTTP_1_0);
        encoder.answersHead(isHead(head));
        String id = requestId(head.headers());
        try {
            RequestChecks.check(head);
            keepAlive = HttpUtil.isKeepAlive(head);
            incoming = new Incoming(head, accept(head), id, null);
            state = State.BODY;
            if (HttpUtil.is100ContinueExpected(head)) {
                sayContinue();
            }
        } catch (RefusedException e) {
            incoming = new Incoming(head, NOWHERE, id, e.error());
            if (keepAlive && hasNoBody(head)) {
                state = State.BODY;
            } else {
                keepAlive = false;
                answer(e.error());
            }
        }
    }

    private RequestTarget accept(HttpRequest head) throws RefusedException {
        RequestTarget target = PathRules.resolve(head.method(), head.uri());
        if (target.kind() != Kind.ADMIN && !server.routes().areOpenTo(keyHash(head.headers()))) {
            throw new RefusedException(OpenAiError.unauthorized());
        }
        if (HttpUtil.getContentLength(head, 0L) > server.config().maxBodyBytes()) {
            throw new RefusedException(OpenAiError.bodyTooLarge(server.config().maxBodyBytes()));
        }
        return target;
    }

    private static boolean hasNoBody(HttpRequest head) {
        return !HttpUtil.isTransferEncodingChunked(head) && HttpUtil.getContentLength(head, 0L) == 0;
    }

    private static boolean isHead(HttpRequest head) {
        return head.method().equals(HttpMethod.HEAD);
    }

    private void sayContinue() {
        channel.writeAndFlush(new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE));
    }

    /** Takes over the content. */
    private void add(HttpContent content) throws RefusedException {
        if (incoming != null && incoming.refusal() != null) {
            content.release();
            return;
        }
        ByteBuf data = content.content();
        int length = data.readableBytes();
        since = loop.now();
        if (content.decoderResult().isFailure()) {
            content.release();
            throw refusedAndClosed(OpenAiError.malformedHttp("The chunks of its body are malformed."));
        }
        if (length == 0) {
            content.release();
            return;
        }
        if (body.readableBytes() + length > server.config().maxBodyBytes()) {
            content.release();
            throw refusedAndClosed(OpenAiError.bodyTooLarge(server.config().maxBodyBytes()));
        }
        if (!server.bodyMemory().take(length)) {
            content.release();
            throw refusedAndClosed(ListenerErrors.memoryFull());
        }
        join(data);
    }

    private RefusedException refusedAndClosed(OpenAiError error) {
        keepAlive = false;
        return new RefusedException(error);
    }

    private void join(ByteBuf data) {
        if (!body.isReadable()) {
            body = data;
        } else if (body instanceof CompositeByteBuf pieces) {
            pieces.addComponent(true, data);
        } else {
            body = channel.alloc()
                    .compositeBuffer(1024)
                    .addComponent(true, body)
                    .addComponent(true, data);
        }
    }

    private ByteBuf takeBody() {
        ByteBuf taken = body;
        body = Unpooled.EMPTY_BUFFER;
        return taken;
    }

    // --- answering ---

    private void dispatch() throws RefusedException {
        state = State.ANSWERING;
        written = false;
        Incoming request = requireNonNull(incoming);
        if (request.refusal() != null) {
            throw new RefusedException(request.refusal());
        }
        switch (request.target().kind()) {
            case INFERENCE, STORED_RESPONSE -> proxy(request);
            case MODELS, MODEL -> models(request);
            case ADMIN -> {
                AdminAnswer answer = server.admin(request.head(), request.target(), body);
                if (answer instanceof AdminAnswer.Page page) {
                    local(request, page.status(), page.contentType(), page.text());
                } else if (answer instanceof AdminAnswer.Events wanted) {
                    tellEvents(request, wanted);
                }
            }
        }
    }

    private List<RouteRuntime> usable(Incoming request) {
        return server.routes().usable(keyHash(request.head().headers()));
    }

    /** A route for any model does not know its models; its backends do. */
    private void models(Incoming request) throws RefusedException {
        List<RouteRuntime> usable = usable(request);
        if (usable.size() == 1 && usable.get(0).takesAnyModel()) {
            proxy(request);
        } else {
            local(request, 200, "application/json", Models.answer(request.target(), usable));
        }
    }

    private void local(Incoming request, int status, String contentType, String text) {
        HttpHeaders headers = ClientAnswer.newHeaders();
        headers.set(HttpHeaderNames.CONTENT_TYPE, contentType);
        ownAnswer(request)
                .whole(
                        HttpResponseStatus.valueOf(status),
                        headers,
                        Unpooled.copiedBuffer(text, StandardCharsets.UTF_8));
    }

    private void tellEvents(Incoming request, AdminAnswer.Events wanted) throws RefusedException {
        ClientAnswer answer = ownAnswer(request);
        EventStream begun = new EventStream(loop, server.events(), answer, wanted);
        if (!server.events().join(begun)) {
            throw new RefusedException(ListenerErrors.tooManyReaders(RouterEvents.MOST_READERS));
        }
        events = begun;
        begun.start();
    }

    /** Answers with an error of the router's own. */
    private void answer(OpenAiError error) {
        server.refused(error);
        ownAnswer(incoming).error(error);
    }

    private ClientAnswer ownAnswer(@Nullable Incoming request) {
        state = State.ANSWERING;
        incoming = null;
        release(takeBody());
        String id = request == null ? newId() : request.id();
        return new ClientAnswer(this, id, request != null && isHead(request.head()), http10, loop.now());
    }

    private void proxy(Incoming request) throws RefusedException {
        HttpHeaders headers = request.head().headers();
        RouteRuntime route;
        ClientRequest whole;
        if (request.target().kind() == Kind.INFERENCE) {
            RequestBody scan = RequestBody.scan(body, headers.get(HttpHeaderNames.CONTENT_TYPE, ""));
            route = routeOf(scan.model(), request);
            if (scan.internals()) {
                withoutInternals();
            }
            whole = clientRequest(request, scan.stream(), scan.choices(), scan.conversation());
        } else {
            route = onlyRoute(request);
            whole = clientRequest(request, false, 1, OptionalLong.empty());
        }
        incoming = null;
        Exchange begun = new Exchange(loop, route, this, whole, server.exchangeMemory());
        exchange = begun;
        begun.start();
    }

    private void withoutInternals() {
        ByteBuf all = takeBody();
        ByteBuf kept = RequestBody.withoutInternals(all);
        server.bodyMemory().giveBack(all.readableBytes() - kept.readableBytes());
        all.release();
        body = kept;
    }

    private ClientRequest clientRequest(Incoming request, boolean stream, int choices, OptionalLong conversation)
            throws RefusedException {
        HttpRequest head = request.head();
        ClientWishes wishes = ClientWishes.of(head.headers());
        return new ClientRequest(
                head.method(),
                request.target(),
                head.protocolVersion(),
                head.headers(),
                request.id(),
                takeBody(),
                stream,
                choices,
                conversation,
                wishes);
    }

    private RouteRuntime routeOf(String model, Incoming request) throws RefusedException {
        @Nullable
        RouteRuntime route = server.routes().find(model, keyHash(request.head().headers()));
        if (route == null) {
            throw new RefusedException(OpenAiError.unknownModel(model, Models.names(usable(request))));
        }
        return route;
    }

    /** A request that names no model can only be meant for the one there is. */
    private RouteRuntime onlyRoute(Incoming request) throws RefusedException {
        List<RouteRuntime> usable = usable(request);
        if (usable.size() != 1) {
            throw new RefusedException(OpenAiError.unknownModel("", Models.names(usable)));
        }
        return usable.get(0);
    }

    /** The answer has been written: on to the next request, if it has come already. */
    private void next() {
        state = State.HEAD;
        since = loop.now();
        headBegun = false;
        if (!draining) {
            drainEarly();
        }
    }

    private void drainEarly() {
        draining = true;
        while (state != State.ANSWERING && state != State.LINGERING && !early.isEmpty()) {
            take(early.poll());
        }
        draining = false;
        if (early.isEmpty()) {
            earlyBytes = 0;
            channel.config().setAutoRead(true);
            if (inputShut && state != State.ANSWERING) {
                channel.close();
            }
        }
    }

    // --- the end ---

    /** Nothing more is read as a request; what still comes is thrown away, so that the answer is not lost to a reset. */
    private void linger() {
        state = State.LINGERING;
        since = loop.now();
        releaseEarly();
        channel.config().setAutoRead(true);
    }

    private void shutdownOutput() {
        if (inputShut) {
            channel.close();
        } else if (channel instanceof DuplexChannel duplex && channel.isActive() && !tls) {
            duplex.shutdownOutput();
        } else {
            channel.close();
        }
    }

    private void releaseEarly() {
        early.forEach(ReferenceCountUtil::release);
        early.clear();
        earlyBytes = 0;
    }

    /** Runs something on the connection's event loop. */
    void execute(Runnable task) {
        loop.executor().execute(task);
    }

    /** The router closes: what rests is closed, what is being answered is the last. */
    void closeWhenDone() {
        if (state == State.HEAD || state == State.BODY) {
            channel.close();
        } else if (events != null) {
            keepAlive = false;
            events.end(); // which would never be done
        }
    }

    /** The router closes and waits no longer. */
    void closeNow() {
        if (exchange != null) {
            exchange.cut();
        }
        channel.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        loop.connections().remove(limits);
        releaseEarly();
        release(takeBody());
        incoming = null;
        state = State.LINGERING;
        @Nullable Exchange current = exchange;
        exchange = null;
        if (current != null) {
            current.clientGone();
        }
        if (events != null) {
            events.leave();
            events = null;
        }
        server.closed(this);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            inputShut = true;
            askedAt = loop.now();
            if (state != State.ANSWERING) {
                channel.close();
            }
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof IOException || cause.getCause() instanceof SSLException) {
            // By its kind only: the message of a failed TLS handshake quotes what was received, keys and all.
            LOG.debug("a client's connection broke: {}", cause.getClass().getName());
        } else {
            LOG.warn("a client's connection failed", cause);
        }
        channel.close();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (exchange != null && channel.isWritable()) {
            exchange.clientDrained();
        } else if (events != null && channel.isWritable()) {
            events.goOn();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (!gotMessage && state == State.HEAD && !headBegun) {
            headBegun = true; // bytes came, but not yet a whole head
            since = loop.now();
        }
        gotMessage = false;
    }

    private void checkTime(long now) {
        long silent = now - since;
        switch (state) {
            case HEAD -> {
                if (headBegun && silent >= server.config().headerTimeout().toNanos()) {
                    keepAlive = false;
                    answer(ListenerErrors.requestTimeout());
                } else if (silent >= server.config().keepAliveTimeout().toNanos()) {
                    channel.close();
                }
            }
            case BODY -> {
                if (silent >= server.config().headerTimeout().toNanos()) {
                    keepAlive = false;
                    answer(ListenerErrors.requestTimeout());
                }
            }
            case ANSWERING -> {
                if (events != null) {
                    events.sweep(now);
                }
                askWhetherGone(now);
            }
            case LINGERING -> {
                if (silent >= LINGER_NANOS) {
                    channel.close();
                }
            }
        }
    }

    /**
     * A client that has closed its sending side may still listen, or may be gone: TCP does not tell which. Interim answers,
     * which HTTP/1.1 clients must skip, provoke a reset from one that is gone.
     */
    private void askWhetherGone(long now) {
        if (inputShut && !http10 && now - askedAt >= ASK_NANOS) {
            askedAt = now;
            if (!written) {
                sayContinue();
            } else if (exchange != null) {
                exchange.ask(now);
            } else if (events != null) {
                events.ask(now);
            }
        }
    }

    // --- small things ---

    private byte @Nullable [] keyHash(HttpHeaders headers) {
        @Nullable String key = Keys.presented(headers);
        if (key == null) {
            return null;
        }
        if (!key.equals(lastKey)) {
            lastKey = key;
            lastKeyHash = Keys.hash(key);
        }
        return lastKeyHash;
    }

    private static String requestId(HttpHeaders headers) {
        String id = headers.get(ClientAnswer.X_REQUEST_ID);
        return id == null || id.isEmpty() || id.length() > 200 ? newId() : id;
    }

    private static String newId() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        return "req-" + Long.toHexString(random.nextLong() | Long.MIN_VALUE);
    }
}
