package dev.tuna.testkit.cloud.process;

import dev.tuna.testkit.cloud.model.CloudModel;
import dev.tuna.testkit.crash.CallerFaults;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpServerKeepAliveHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** The port: one event loop carries all requests, two further threads answer calls of the control API. */
final class HttpFront implements AutoCloseable {

    private static final int MAX_BODY_BYTES = 64 << 20;

    private final EventLoopGroup loop = eventLoop();
    private final ExecutorService control =
            Executors.newFixedThreadPool(2, new DefaultThreadFactory("tuna-cloud-api", true));
    private final Channel listener;

    HttpFront(String host, int port, CloudModel cloud, CallerFaults faults) {
        ControlApi api = new ControlApi(cloud);
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loop)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 1024)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline()
                                .addLast(new HttpServerCodec())
                                .addLast(new HttpServerKeepAliveHandler())
                                .addLast(new HttpObjectAggregator(MAX_BODY_BYTES))
                                .addLast(new FrontConnection(cloud, api, faults, control));
                    }
                });
        var bound = bootstrap.bind(host, port).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            close();
            throw new UncheckedIOException(new IOException(
                    "cannot listen on " + host + ":" + port + ": "
                            + bound.cause().getMessage(),
                    bound.cause()));
        }
        listener = bound.channel();
    }

    @SuppressWarnings("deprecation") // deprecated in Netty 4.2, but the only way that 4.1 has too
    private static EventLoopGroup eventLoop() {
        return new NioEventLoopGroup(1, new DefaultThreadFactory("tuna-cloud-http", true));
    }

    int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    @Override
    public void close() {
        control.shutdownNow();
        loop.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
