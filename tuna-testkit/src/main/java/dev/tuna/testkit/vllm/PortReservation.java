package dev.tuna.testkit.vllm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;

/** Keeps a port without listening on it, so that connecting is refused and nobody else gets it meanwhile. */
final class PortReservation implements AutoCloseable {

    private final SocketChannel socket;
    private final InetSocketAddress address;

    private PortReservation(SocketChannel socket, InetSocketAddress address) {
        this.socket = socket;
        this.address = address;
    }

    static PortReservation of(String host, int port) {
        try {
            SocketChannel socket = SocketChannel.open();
            try {
                socket.setOption(StandardSocketOptions.SO_REUSEADDR, true);
                socket.bind(new InetSocketAddress(host, port));
                return new PortReservation(socket, (InetSocketAddress) socket.getLocalAddress());
            } catch (IOException e) {
                socket.close();
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot bind " + host + ":" + port + ": " + e.getMessage(), e);
        }
    }

    InetSocketAddress address() {
        return address;
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
