package dev.tuna.router.proxy;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.StandardSocketOptions;
import java.util.concurrent.ThreadFactory;

/**
 * How sockets are polled: by Linux's epoll directly if the host has Netty's native part for it on the class path,
 * otherwise by the JDK.
 *
 * @param group the event loops, to be closed by the owner
 * @param server type of the listening channel
 * @param client type of connections to backends
 * @param sharedPort lets several processes listen on one address
 */
record Transport(
        EventLoopGroup group,
        Class<? extends ServerChannel> server,
        Class<? extends Channel> client,
        ChannelOption<Boolean> sharedPort) {

    // The replacement exists in Netty 4.2 only, and 4.1 is supported too.
    @SuppressWarnings("deprecation")
    static Transport open(int threads) {
        ThreadFactory factory = new DefaultThreadFactory("tuna-router-io", true);
        return Epoll.isAvailable()
                ? new Transport(
                        new EpollEventLoopGroup(threads, factory),
                        EpollServerSocketChannel.class,
                        EpollSocketChannel.class,
                        EpollChannelOption.SO_REUSEPORT)
                : new Transport(
                        new NioEventLoopGroup(threads, factory),
                        NioServerSocketChannel.class,
                        NioSocketChannel.class,
                        NioChannelOption.of(StandardSocketOptions.SO_REUSEPORT));
    }
}
