package dev.tuna.router.proxy;

import static java.util.Objects.requireNonNull;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.ssl.SslHandler;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * One event loop's connections to backends. Never makes a request wait: what is idle is used, the latest first, otherwise
 * a new connection is made. Confined to its event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a handshake's future is listened to
final class UpstreamPool {

    /** Idle connections kept for one endpoint; more are closed. */
    private static final int MOST_IDLE = 256;

    /** Shorter than the time after which common servers and load balancers close (uvicorn 5 s, most others 60 s). */
    private static final long LONGEST_IDLE_NANOS = Duration.ofSeconds(45).toNanos();

    private static final int MOST_HEADER_BYTES = 64 << 10;

    /** Told how an attempt to connect ended. */
    interface Waiter {
        void connected(UpstreamConnection connection);

        void notConnected(Throwable why);
    }

    /** A connection in the making. */
    final class Pending {
        private final Endpoint endpoint;
        private final Duration timeout;
        private @Nullable Waiter waiter;
        private @Nullable Channel channel;
        private @Nullable UpstreamConnection connection;

        private Pending(Endpoint endpoint, Duration timeout, Waiter waiter) {
            this.endpoint = endpoint;
            this.timeout = timeout;
            this.waiter = waiter;
        }

        /** Gives up without telling the waiter. */
        void cancel() {
            waiter = null;
            if (channel != null) {
                channel.close();
            }
        }

        private void connect(List<InetAddress> addresses, int index) {
            if (waiter == null) {
                return;
            }
            ChannelFuture connecting = bootstrap
                    .clone()
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) Math.min(Integer.MAX_VALUE, timeout.toMillis()))
                    .handler(pipeline())
                    .connect(new InetSocketAddress(addresses.get(index), endpoint.port()));
            channel = connecting.channel();
            connecting.addListener(done -> {
                if (done.isSuccess()) {
                    secured(connecting.channel());
                } else if (index + 1 < addresses.size()) {
                    connect(addresses, index + 1);
                } else {
                    failed(done.cause());
                }
            });
        }

        private ChannelHandler pipeline() {
            return new ChannelInitializer<Channel>() {
                @Override
                protected void initChannel(Channel made) {
                    if (endpoint.tls()) {
                        try {
                            made.pipeline().addLast(tls.handler(made.alloc(), endpoint, timeout));
                        } catch (SSLException e) {
                            failed(e);
                            made.close();
                            return;
                        }
                    }
                    HttpDecoderConfig limits = new HttpDecoderConfig()
                            .setMaxHeaderSize(MOST_HEADER_BYTES)
                            .setMaxInitialLineLength(MOST_HEADER_BYTES);
                    UpstreamConnection last = new UpstreamConnection(UpstreamPool.this, endpoint, made);
                    made.pipeline().addLast(new HttpClientCodec(limits, false, false), last);
                    connection = last;
                }
            };
        }

        private void secured(Channel connected) {
            @Nullable SslHandler tls = connected.pipeline().get(SslHandler.class);
            if (tls == null) {
                succeeded(connected);
                return;
            }
            tls.handshakeFuture().addListener(done -> {
                if (done.isSuccess()) {
                    succeeded(connected);
                } else {
                    connected.close();
                    failed(done.cause());
                }
            });
        }

        private void succeeded(Channel connected) {
            @Nullable Waiter current = waiter;
            waiter = null;
            if (current == null) {
                connected.close();
                return;
            }
            open.add(connected);
            connected.closeFuture().addListener(closed -> open.remove(connected));
            current.connected(requireNonNull(connection));
        }

        private void failed(Throwable why) {
            @Nullable Waiter current = waiter;
            waiter = null;
            if (current != null) {
                current.notConnected(why);
            }
        }
    }

    private final EventLoop loop;
    private final Bootstrap bootstrap;
    private final BackendResolver resolver;
    private final BackendTlsContexts tls;
    private final LongSupplier clock;
    private final Map<Endpoint, Deque<UpstreamConnection>> idle = new HashMap<>();
    private final Set<Channel> open = new HashSet<>();

    UpstreamPool(
            EventLoop loop,
            Class<? extends Channel> channelType,
            BackendResolver resolver,
            BackendTlsContexts tls,
            LongSupplier clock) {
        this.loop = loop;
        this.resolver = resolver;
        this.tls = tls;
        this.clock = clock;
        this.bootstrap = new Bootstrap()
                .group(loop)
                .channel(channelType)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(32 << 10, 64 << 10));
    }

    /**
     * An idle connection.
     *
     * @param endpoint where to
     * @return the one that was used last; null if there is none
     */
    @Nullable
    UpstreamConnection idle(Endpoint endpoint) {
        @Nullable Deque<UpstreamConnection> connections = idle.get(endpoint);
        if (connections != null) {
            for (@Nullable UpstreamConnection last = connections.pollLast();
                    last != null;
                    last = connections.pollLast()) {
                if (last.isActive()) {
                    return last;
                }
            }
        }
        return null;
    }

    /**
     * Makes a connection.
     *
     * @param endpoint where to
     * @param timeout for connecting, and again for the TLS handshake
     * @param waiter told the outcome later, on the event loop
     * @return to give up by
     */
    Pending connect(Endpoint endpoint, Duration timeout, Waiter waiter) {
        Pending pending = new Pending(endpoint, timeout, waiter);
        resolver.resolve(
                endpoint.host(),
                (addresses, failure) -> loop.execute(() -> {
                    if (failure == null) {
                        pending.connect(addresses, 0);
                    } else {
                        pending.failed(new ConnectException("cannot resolve '" + endpoint.host() + "'"));
                    }
                }));
        return pending;
    }

    void release(UpstreamConnection connection) {
        Deque<UpstreamConnection> connections = idle.computeIfAbsent(connection.endpoint(), any -> new ArrayDeque<>());
        if (connections.size() >= MOST_IDLE) {
            connection.abort();
            return;
        }
        connection.idle(clock.getAsLong());
        connections.addLast(connection);
    }

    /** Called for every connection that closed; few of them are idle. */
    void forget(UpstreamConnection connection) {
        @Nullable Deque<UpstreamConnection> connections = idle.get(connection.endpoint());
        if (connections != null) {
            connections.removeLastOccurrence(connection);
        }
    }

    /** Closes what has been idle for long, or leads to no backend any more. */
    void trim(Predicate<Endpoint> wanted) {
        long now = clock.getAsLong();
        List<UpstreamConnection> tooMany = new ArrayList<>();
        idle.entrySet().removeIf(entry -> {
            boolean keep = wanted.test(entry.getKey());
            for (UpstreamConnection connection : entry.getValue()) {
                if (!keep || now - connection.idleSince() > LONGEST_IDLE_NANOS) {
                    tooMany.add(connection);
                }
            }
            return !keep;
        });
        tooMany.forEach(UpstreamConnection::abort);
    }

    /** Cuts everything. */
    void close() {
        List.copyOf(open).forEach(Channel::close);
        idle.clear();
    }
}
