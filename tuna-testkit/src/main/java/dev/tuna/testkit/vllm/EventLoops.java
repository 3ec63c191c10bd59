package dev.tuna.testkit.vllm;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;

/** The one place that knows how an event loop is made. */
final class EventLoops {

    private EventLoops() {}

    @SuppressWarnings("deprecation") // deprecated in Netty 4.2, but the only way that 4.1 has too
    static EventLoopGroup single(String threadName) {
        return new NioEventLoopGroup(1, new DefaultThreadFactory(threadName, true));
    }
}
