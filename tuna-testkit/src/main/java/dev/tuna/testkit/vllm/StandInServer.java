package dev.tuna.testkit.vllm;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpServerCodec;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server behind a stand-in: one event loop that accepts, reads, generates and writes, so that nothing in here needs
 * a lock. Public methods of {@link VllmStandIn} hop onto the loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed close or timer has nobody to tell; a failed bind is awaited
final class StandInServer {

    private static final Logger LOG = LoggerFactory.getLogger(VllmStandIn.class);
    private static final int LONGEST_LINE = 65_536;
    private static final int BACKLOG = 4096;

    private final StandInConfig config;
    private final EventLoopGroup group;
    private final EventLoop loop;
    private final Metrics metrics = new Metrics();
    private final FaultBook faults = new FaultBook();
    private final Journal journal;
    private final Engine engine;
    private final Routes routes;
    private final Map<Channel, ConnectionHandler> connections = new LinkedHashMap<>();
    private final CompletableFuture<Void> terminated = new CompletableFuture<>();
    private final InetSocketAddress address;
    private @Nullable PortReservation reservation;
    private @Nullable Channel listener;
    private long connectionCount;
    private boolean booted;
    private boolean refusing;
    private boolean draining;
    private boolean dead;
    private volatile boolean listening;
    private volatile @Nullable ChannelFuture binding;
    private volatile int openConnections;

    StandInServer(StandInConfig config) {
        this.config = config;
        PortReservation reserved = PortReservation.of(config.host(), config.port());
        reservation = reserved;
        address = reserved.address();
        group = EventLoops.single("tuna-stand-in-" + address.getPort());
        loop = group.next();
        journal = new Journal(config.keepRequests());
        engine = new Engine(
                loop, new Pace(config.timeToFirstToken(), config.tokensPerSecond()), config.capacity(), metrics);
        routes = new Routes(this);
    }

    void start() {
        if (config.bootTime().isZero()) {
            onLoop(this::boot);
            awaitBinding();
        } else {
            loop.schedule(this::boot, config.bootTime().toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    private void boot() {
        booted = true;
        listenIfWanted();
    }

    private void listenIfWanted() {
        if (!booted || refusing || draining || dead || listener != null) {
            return;
        }
        ChannelFuture bound = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel accepted) {
                        accepted.pipeline()
                                .addLast(new HttpServerCodec(LONGEST_LINE, LONGEST_LINE, LONGEST_LINE))
                                .addLast(new ConnectionHandler(StandInServer.this, ++connectionCount));
                    }
                })
                .bind(address);
        bound.addListener(done -> listening = done.isSuccess() && bound.channel() == listener);
        listener = bound.channel();
        binding = bound;
        releaseReservation();
    }

    private void stopListening() {
        listening = false;
        if (listener != null) {
            listener.close();
            listener = null;
        }
        releaseReservation();
    }

    private void releaseReservation() {
        if (reservation != null) {
            reservation.close();
            reservation = null;
        }
    }

    /** Runs on the loop and waits; a loop that has ended has nothing left to do it to. */
    private void onLoop(Runnable work) {
        if (loop.inEventLoop()) {
            work.run();
        } else if (!loop.isShuttingDown()) {
            loop.submit(work).syncUninterruptibly();
        }
    }

    void inject(Fault fault) {
        if (fault.is(Fault.Kind.REFUSE)) {
            onLoop(() -> {
                refusing = true;
                stopListening();
            });
            awaitRefusal();
        } else {
            faults.add(fault);
        }
    }

    void clearFaults() {
        faults.clear();
        onLoop(() -> {
            refusing = false;
            listenIfWanted();
        });
        awaitBinding();
    }

    /** So that whoever made it listen can connect at once, and learns of a port that is taken. */
    private void awaitBinding() {
        ChannelFuture bound = binding;
        if (bound != null && !loop.inEventLoop()) {
            bound.syncUninterruptibly();
        }
    }

    /**
     * The selector lets go of a closed listener a moment later. That the port can be reserved again shows that it has; the
     * reservation keeps others away from the port until it is listened on again.
     */
    private void awaitRefusal() {
        for (int turn = 0; turn < 5_000 && !loop.inEventLoop() && !loop.isShuttingDown(); turn++) {
            try {
                PortReservation reserved = PortReservation.of(config.host(), address.getPort());
                onLoop(() -> keep(reserved));
                return;
            } catch (UncheckedIOException stillListening) {
                LockSupport.parkNanos(1_000_000);
            }
        }
    }

    private void keep(PortReservation reserved) {
        if (reservation == null && listener == null) {
            reservation = reserved;
        } else {
            reserved.close();
        }
    }

    /** Like SIGKILL: every connection is reset, nothing is answered, the port is closed. */
    void kill() {
        onLoop(this::dropEverything);
        awaitRefusal();
    }

    private void dropEverything() {
        dead = true;
        stopListening();
        for (Map.Entry<Channel, ConnectionHandler> open : new ArrayList<>(connections.entrySet())) {
            open.getValue().losesAs(Outcome.KILLED);
            Answer.reset(open.getKey());
        }
        terminated.complete(null);
    }

    /** Like SIGTERM: see {@link VllmStandIn#terminate()}. */
    CompletableFuture<Void> terminate() {
        onLoop(() -> {
            if (draining || dead) {
                return;
            }
            draining = true;
            stopListening();
            connections.values().forEach(ConnectionHandler::closeAfterwards);
            if (config.shutdownTimeout().isZero()) {
                abortAll();
            } else {
                loop.schedule(this::abortAll, config.shutdownTimeout().toNanos(), TimeUnit.NANOSECONDS);
            }
            exchangeOver();
        });
        awaitRefusal();
        return terminated;
    }

    private void abortAll() {
        List<ConnectionHandler> all = new ArrayList<>(connections.values());
        all.forEach(ConnectionHandler::abort);
        Map.copyOf(connections).forEach((channel, handler) -> {
            handler.losesAs(Outcome.KILLED);
            closeWhenWritten(channel);
        });
        terminated.complete(null);
    }

    private static void closeWhenWritten(Channel channel) {
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    /** While draining, the server ends when nobody is being answered any more. */
    void exchangeOver() {
        if (draining && connections.values().stream().noneMatch(ConnectionHandler::busy)) {
            List.copyOf(connections.keySet()).forEach(StandInServer::closeWhenWritten);
            terminated.complete(null);
        }
    }

    void awaitConnectionsClosed() {
        for (int turn = 0; openConnections > 0 && turn < 200; turn++) {
            LockSupport.parkNanos(10_000_000);
        }
    }

    void close() {
        onLoop(this::dropEverything);
        group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
    }

    void connected(Channel channel, ConnectionHandler handler) {
        if (dead) {
            Answer.reset(channel);
            return;
        }
        connections.put(channel, handler);
        openConnections = connections.size();
    }

    void disconnected(Channel channel) {
        connections.remove(channel);
        openConnections = connections.size();
        if (!dead) {
            exchangeOver();
        }
    }

    StandInStats stats() {
        return new StandInStats(
                journal.arrived(),
                journal.modelRequests(),
                journal.count(Outcome.COMPLETED),
                journal.count(Outcome.REJECTED),
                journal.count(Outcome.ABORTED),
                journal.count(Outcome.FAULTED),
                journal.count(Outcome.KILLED),
                engine.running(),
                engine.waiting(),
                metrics.promptTokens(),
                metrics.generationTokens(),
                openConnections);
    }

    InetSocketAddress address() {
        return address;
    }

    boolean listening() {
        return listening;
    }

    boolean draining() {
        return draining;
    }

    StandInConfig config() {
        return config;
    }

    FaultBook faults() {
        return faults;
    }

    Journal journal() {
        return journal;
    }

    Engine engine() {
        return engine;
    }

    Metrics metrics() {
        return metrics;
    }

    Routes routes() {
        return routes;
    }

    Logger log() {
        return LOG;
    }
}
