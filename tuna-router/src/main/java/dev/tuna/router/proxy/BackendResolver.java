package dev.tuna.router.proxy;

import io.netty.util.NetUtil;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Finds backends' addresses with the machine's own resolver, which blocks, so on threads of its own. Thread-safe.
 */
final class BackendResolver implements AutoCloseable {

    /** As long as the JDK itself remembers an address. */
    private static final long REMEMBERED_NANOS = 30_000_000_000L;

    private static final int THREADS = 2;

    private final ExecutorService threads =
            Executors.newFixedThreadPool(THREADS, new DefaultThreadFactory("tuna-router-resolver", true));
    private final Map<String, Found> known = new ConcurrentHashMap<>();
    private final LongSupplier clock;

    private record Found(List<InetAddress> addresses, long at) {}

    BackendResolver(LongSupplier clock) {
        this.clock = clock;
    }

    /**
     * Resolves a host.
     *
     * @param host name or address
     * @param whenDone told the addresses, or the failure; called at once if they are known, otherwise on a thread of the
     *     resolver
     */
    void resolve(String host, BiConsumer<List<InetAddress>, @Nullable Throwable> whenDone) {
        @Nullable InetAddress literal = literal(host);
        if (literal != null) {
            whenDone.accept(List.of(literal), null);
            return;
        }
        @Nullable Found found = known.get(host);
        if (found != null && clock.getAsLong() - found.at < REMEMBERED_NANOS) {
            whenDone.accept(found.addresses, null);
            return;
        }
        try {
            threads.execute(() -> lookUp(host, whenDone));
        } catch (RejectedExecutionException e) {
            whenDone.accept(List.of(), e);
        }
    }

    private void lookUp(String host, BiConsumer<List<InetAddress>, @Nullable Throwable> whenDone) {
        List<InetAddress> addresses;
        try {
            addresses = List.of(InetAddress.getAllByName(host));
        } catch (UnknownHostException e) {
            known.remove(host);
            whenDone.accept(List.of(), e);
            return;
        }
        known.put(host, new Found(addresses, clock.getAsLong()));
        whenDone.accept(addresses, null);
    }

    private static @Nullable InetAddress literal(String host) {
        byte @Nullable [] bytes = NetUtil.createByteArrayFromIpAddressString(host);
        try {
            return bytes == null ? null : InetAddress.getByAddress(host, bytes);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address has 4 or 16 bytes", e);
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
