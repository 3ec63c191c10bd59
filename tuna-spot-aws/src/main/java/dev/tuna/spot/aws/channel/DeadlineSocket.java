package dev.tuna.spot.aws.channel;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * A socket whose reads end at a point in time, all together: a peer that sends a byte now and then holds nobody up. Confined
 * to one thread.
 */
final class DeadlineSocket extends Socket {

    private final LongSupplier ticker;
    private long deadline;

    /**
     * Connects.
     *
     * @param ticker nanoseconds, as {@link System#nanoTime()}
     */
    static DeadlineSocket connect(InetSocketAddress address, Duration timeout, LongSupplier ticker) throws IOException {
        DeadlineSocket socket = new DeadlineSocket(ticker);
        try {
            socket.setTcpNoDelay(true);
            socket.within(timeout);
            socket.connect(address, Math.toIntExact(timeout.toMillis()));
            return socket;
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    private DeadlineSocket(LongSupplier ticker) {
        this.ticker = ticker;
    }

    /** Gives reads from now on so much time altogether. */
    void within(Duration time) {
        deadline = ticker.getAsLong() + time.toNanos();
    }

    @Override
    public InputStream getInputStream() throws IOException {
        return new FilterInputStream(super.getInputStream()) {
            @Override
            public int read() throws IOException {
                limit();
                return super.read();
            }

            @Override
            public int read(byte[] into, int offset, int length) throws IOException {
                limit();
                return super.read(into, offset, length);
            }
        };
    }

    private void limit() throws IOException {
        long left = (deadline - ticker.getAsLong()) / 1_000_000;
        if (left <= 0) {
            throw new SocketTimeoutException("no whole answer in time");
        }
        setSoTimeout(Math.toIntExact(left));
    }
}
