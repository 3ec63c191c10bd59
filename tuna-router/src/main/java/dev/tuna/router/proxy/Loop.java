package dev.tuna.router.proxy;

import io.netty.channel.EventLoop;
import java.util.function.LongSupplier;

/**
 * What belongs to one event loop. Its parts are confined to it.
 *
 * @param executor the event loop
 * @param clock nanoseconds, as {@link System#nanoTime()}
 * @param pool its connections to backends
 * @param exchanges looks at the time limits of requests
 * @param connections looks at the time limits of clients' connections; holds all of them
 */
record Loop(EventLoop executor, LongSupplier clock, UpstreamPool pool, Sweeper exchanges, Sweeper connections) {

    long now() {
        return clock.getAsLong();
    }
}
