package dev.tuna.router.proxy;

import static java.util.Objects.requireNonNull;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.router.Route;
import dev.tuna.router.RouterConfig;
import dev.tuna.router.RouterListener;
import dev.tuna.router.admin.AdminAnswer;
import dev.tuna.router.admin.AdminRequest;
import dev.tuna.router.admin.RouterControl.RouteStatus;
import dev.tuna.router.http.OpenAiError;
import dev.tuna.router.http.RefusedException;
import dev.tuna.router.http.RequestTarget;
import dev.tuna.router.http.StrictRequestDecoder;
import io.micrometer.core.instrument.MeterRegistry;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.util.AsciiString;
import io.netty.util.concurrent.EventExecutor;
import java.io.File;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * The listener and its event loops. Thread-safe. The public face of it is {@link dev.tuna.router.RouterEngine}.
 */
@SuppressWarnings("FutureReturnValueIgnored") // trims do not fail, and the end of the loops is waited for below
public final class ProxyServer implements AutoCloseable {

    /** How often requests' time limits are looked at; they are exact to this. */
    private static final long EXCHANGE_SWEEP_MILLIS = 20;

    private static final long CONNECTION_SWEEP_MILLIS = 250;
    private static final long POOL_TRIM_SECONDS = 5;

    /** Answers held back at once, over all requests, so that another backend could still give them. */
    private static final long MOST_HELD_BYTES = 128 << 20;

    private static final AsciiString LAST_EVENT_ID = AsciiString.cached("last-event-id");

    private static final Duration LOOPS_END = Duration.ofSeconds(10);

    /** Answers requests for the router's own pages. */
    public interface AdminPages {

        /**
         * Answers.
         *
         * @param request what is asked
         * @return the page
         * @throws RefusedException if there is no such page or the caller may not see it
         */
        AdminAnswer answer(AdminRequest request) throws RefusedException;
    }

    private final RouterConfig config;
    private final ProxyMetrics metrics;
    private final RouterEvents events;
    private final RouteTable routes;
    private final MemoryBudget bodyMemory;
    private final Exchange.Memory exchangeMemory;
    private final Optional<SslContext> tls;
    private final BackendTlsContexts backendTls;
    private final Transport transport;
    private final BackendResolver resolver;
    private final Map<EventLoop, Loop> loops;
    private final Set<ClientConnection> connections = ConcurrentHashMap.newKeySet();
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private final CompletableFuture<Void> empty = new CompletableFuture<>();
    private @Nullable Channel listening;
    private volatile boolean closing;
    private volatile AdminPages adminPages = request -> {
        throw new RefusedException(OpenAiError.unknownPath(request.path()));
    };

    private ProxyServer(
            RouterConfig config,
            RouterListener listener,
            MeterRegistry meters,
            LongSupplier clock,
            InstantSource wall) {
        this.config = config;
        this.metrics = new ProxyMetrics(meters);
        this.bodyMemory = new MemoryBudget(config.maxBufferedBytes());
        this.exchangeMemory =
                new Exchange.Memory(new MemoryBudget(MOST_HELD_BYTES), new MemoryBudget(config.maxContinuationBytes()));
        this.tls = config.tls().map(ProxyServer::listenerTls);
        this.backendTls = new BackendTlsContexts(config.backendCertificates());
        this.resolver = new BackendResolver(clock);
        this.transport = Transport.open(config.ioThreads());
        this.loops = loops(clock);
        this.events = new RouterEvents(anyLoop(), wall);
        this.routes = new RouteTable(listener, metrics, events, clock, wall);
    }

    /**
     * Makes the server and its threads; it does not listen yet.
     *
     * @param config where and how
     * @param listener told what cannot wait
     * @param meters where the server measures
     * @param clock nanoseconds, as {@link System#nanoTime()}
     * @return a server to be closed
     * @throws ConfigurationException if a certificate cannot be read
     */
    public static ProxyServer create(
            RouterConfig config,
            RouterListener listener,
            MeterRegistry meters,
            LongSupplier clock,
            InstantSource wall) {
        return new ProxyServer(config, listener, meters, clock, wall);
    }

    /**
     * Starts to listen.
     *
     * @param pages the router's own pages
     * @throws ConfigurationException if the address cannot be had
     */
    public void listen(AdminPages pages) {
        adminPages = pages;
        bind();
    }

    private Map<EventLoop, Loop> loops(LongSupplier clock) {
        Map<EventLoop, Loop> all = new HashMap<>();
        for (EventExecutor executor : transport.group()) {
            EventLoop loop = (EventLoop) executor;
            all.put(
                    loop,
                    new Loop(
                            loop,
                            clock,
                            new UpstreamPool(loop, transport.client(), resolver, backendTls, clock),
                            new Sweeper(loop, clock, EXCHANGE_SWEEP_MILLIS),
                            new Sweeper(loop, clock, CONNECTION_SWEEP_MILLIS)));
        }
        return all;
    }

    private void bind() {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(transport.group())
                .channel(transport.server())
                .option(ChannelOption.SO_BACKLOG, 4096)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(32 << 10, 64 << 10))
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accept(channel);
                    }
                });
        if (config.sharedPort()) {
            bootstrap.option(transport.sharedPort(), true);
        }
        ChannelFuture bound = bootstrap
                .bind(new InetSocketAddress(config.host(), config.port()))
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new ConfigurationException(
                    ErrorCode.ENDPOINT_UNAVAILABLE,
                    "cannot listen on " + config.host() + ":" + config.port() + ": "
                            + bound.cause().getMessage()
                            + "; stop what listens there, or choose another port (0 for any free one) or address",
                    bound.cause());
        }
        listening = bound.channel();
        Loop any = anyLoop();
        EngineWatch engines = new EngineWatch(any, routes);
        any.executor()
                .scheduleWithFixedDelay(
                        engines::look,
                        EngineWatch.PERIOD.toMillis(),
                        EngineWatch.PERIOD.toMillis(),
                        TimeUnit.MILLISECONDS);
        any.executor()
                .scheduleWithFixedDelay(
                        () -> backendTls.keep(routes.identities()),
                        POOL_TRIM_SECONDS,
                        POOL_TRIM_SECONDS,
                        TimeUnit.SECONDS);
        for (Loop loop : loops.values()) {
            loop.executor()
                    .scheduleWithFixedDelay(
                            () -> loop.pool().trim(routes::areUsing),
                            POOL_TRIM_SECONDS,
                            POOL_TRIM_SECONDS,
                            TimeUnit.SECONDS);
        }
    }

    private Loop anyLoop() {
        return loops.values().iterator().next();
    }

    private void accept(Channel channel) {
        Loop loop = requireNonNull(loops.get(channel.eventLoop()));
        tls.ifPresent(context -> channel.pipeline().addLast(context.newHandler(channel.alloc())));
        HttpDecoderConfig limits = new HttpDecoderConfig()
                .setMaxInitialLineLength(config.maxHeaderBytes())
                .setMaxHeaderSize(config.maxHeaderBytes())
                .setInitialBufferSize(512);
        AnswerEncoder encoder = new AnswerEncoder();
        channel.pipeline()
                .addLast(new StrictRequestDecoder(limits))
                .addLast(encoder)
                .addLast(new ClientConnection(this, loop, channel, encoder));
    }

    // --- what connections need ---

    RouterConfig config() {
        return config;
    }

    RouteTable routes() {
        return routes;
    }

    RouterEvents events() {
        return events;
    }

    MemoryBudget bodyMemory() {
        return bodyMemory;
    }

    Exchange.Memory exchangeMemory() {
        return exchangeMemory;
    }

    boolean isClosing() {
        return closing;
    }

    AdminAnswer admin(HttpRequest head, RequestTarget target, ByteBuf body) throws RefusedException {
        return adminPages.answer(new AdminRequest(
                head.method(),
                target.path(),
                new QueryStringDecoder(target.target()).parameters(),
                Optional.ofNullable(Keys.presented(head.headers())),
                Optional.ofNullable(head.headers().get(LAST_EVENT_ID)),
                body));
    }

    void refused(OpenAiError error) {
        metrics.refused(error.status());
    }

    void opened(ClientConnection connection) {
        connections.add(connection);
        if (closing) {
            connection.closeNow();
        }
    }

    void closed(ClientConnection connection) {
        connections.remove(connection);
        if (closing && connections.isEmpty()) {
            empty.complete(null);
        }
    }

    // --- what the engine offers ---

    /**
     * Where it listens.
     *
     * @return the bound address
     */
    public InetSocketAddress address() {
        return (InetSocketAddress) requireNonNull(listening).localAddress();
    }

    /**
     * Adds a route or replaces it whole; whoever waits for a backend of it is let go on.
     *
     * @param route the route
     * @throws IllegalArgumentException if another route serves one of its models
     */
    public void put(Route route) {
        backendTls.prepare(route);
        routes.put(route);
    }

    /**
     * Takes a route away. What is being answered is answered to the end.
     *
     * @param deployment its name
     */
    public void remove(String deployment) {
        routes.remove(deployment);
    }

    /**
     * One route as it is now.
     *
     * @param deployment its name
     * @return empty if there is no such route
     */
    public Optional<RouteStatus> route(String deployment) {
        return routes.named(deployment).map(RouteRuntime::status);
    }

    /**
     * All routes.
     *
     * @return in the order in which they were first put
     */
    public List<RouteStatus> all() {
        return routes.all().stream().map(RouteRuntime::status).toList();
    }

    /**
     * Whether requests are taken.
     *
     * @return false once it closes
     */
    public boolean isAccepting() {
        return !closing && listening != null;
    }

    /** Stops accepting, lets what flows come to its end within the grace, then cuts. May be called twice. */
    @Override
    public void close() {
        if (closing) {
            awaitQuietly(closed, LOOPS_END.plus(config.shutdownGrace()));
            return;
        }
        closing = true;
        if (listening != null) {
            listening.close().awaitUninterruptibly();
        }
        onConnections(ClientConnection::closeWhenDone);
        if (!connections.isEmpty()) {
            awaitQuietly(empty, config.shutdownGrace());
        }
        onConnections(ClientConnection::closeNow);
        loops.values().forEach(loop -> loop.executor().execute(loop.pool()::close));
        transport.group().shutdownGracefully(0, LOOPS_END.toMillis() / 2, TimeUnit.MILLISECONDS);
        transport.group().terminationFuture().awaitUninterruptibly(LOOPS_END.toMillis());
        resolver.close();
        metrics.close();
        closed.complete(null);
    }

    private void onConnections(Consumer<ClientConnection> action) {
        connections.forEach(connection -> connection.execute(() -> action.accept(connection)));
    }

    private static void awaitQuietly(CompletableFuture<Void> done, Duration atMost) {
        try {
            done.get(atMost.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            return; // then it is cut
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static SslContext listenerTls(RouterConfig.Tls files) {
        File chain = files.certificateChain().toFile();
        try {
            return SslContextBuilder.forServer(chain, files.privateKey().toFile())
                    .build();
        } catch (SSLException | IllegalArgumentException e) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "the listener's TLS files cannot be used: certificate chain '" + chain + "', private key '"
                            + files.privateKey() + "'; both must be PEM, the key PKCS#8 and not encrypted, and belong"
                            + " together",
                    e);
        }
    }
}
