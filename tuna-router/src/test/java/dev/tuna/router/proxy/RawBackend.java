package dev.tuna.router.proxy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** A backend that says exactly what a test wants, byte for byte, on as many connections as come. */
final class RawBackend implements AutoCloseable {

    /** Answers the requests of one connection. */
    interface Script {
        void play(Peer peer) throws Exception;
    }

    /** One connection to the backend. */
    static final class Peer {
        private final RawBackend backend;
        private final Socket socket;

        private Peer(RawBackend backend, Socket socket) {
            this.backend = backend;
            this.socket = socket;
        }

        /** Reads one request with its fixed-length body; empty at the connection's end. */
        String request() throws IOException {
            ByteArrayOutputStream read = new ByteArrayOutputStream();
            InputStream in = socket.getInputStream();
            String text = "";
            while (!text.endsWith("\r\n\r\n")) {
                int value = in.read();
                if (value < 0) {
                    return "";
                }
                read.write(value);
                text = read.toString(StandardCharsets.ISO_8859_1);
            }
            int at = text.toLowerCase(Locale.ROOT).indexOf("content-length: ");
            int length = at < 0 ? 0 : Integer.parseInt(text.substring(at + 16, text.indexOf('\r', at)));
            text += new String(in.readNBytes(length), StandardCharsets.UTF_8);
            if (text.startsWith("GET /metrics ")) {
                backend.asked.incrementAndGet();
                say(
                        backend.metrics.isEmpty()
                                ? "HTTP/1.1 " + backend.noMetrics + "\r\nContent-Length: 0\r\n\r\n"
                                : "HTTP/1.1 200 OK\r\nContent-Length: " + backend.metrics.length() + "\r\n\r\n"
                                        + backend.metrics);
                return request(); // no script is about that
            }
            backend.requests.add(text);
            return text;
        }

        void say(String text) throws IOException {
            socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
            socket.getOutputStream().flush();
        }

        void say(byte[] bytes) throws IOException {
            socket.getOutputStream().write(bytes);
            socket.getOutputStream().flush();
        }

        void chunk(String text) throws IOException {
            say(Integer.toHexString(text.getBytes(StandardCharsets.UTF_8).length) + "\r\n" + text + "\r\n");
        }

        /** Blocks until the other side is gone. */
        void awaitEnd() {
            try {
                while (socket.getInputStream().read() >= 0) {
                    // throw it away
                }
            } catch (IOException e) {
                // a reset is an end too
            }
        }

        void reset() throws IOException {
            socket.setSoLinger(true, 0);
            socket.close();
        }
    }

    private final ServerSocket server;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    final List<String> requests = new CopyOnWriteArrayList<>();
    final AtomicInteger asked = new AtomicInteger();
    volatile String metrics = "";
    volatile String noMetrics = "404 Not Found";
    final List<Peer> ended = new CopyOnWriteArrayList<>();

    RawBackend(Script script) throws IOException {
        server = new ServerSocket(0, 1024, InetAddress.getLoopbackAddress());
        start(() -> accept(script));
    }

    /** Answers every request with the same bytes. */
    static RawBackend always(String answer) throws IOException {
        return new RawBackend(peer -> {
            while (!peer.request().isEmpty()) {
                peer.say(answer);
            }
        });
    }

    private static void start(Runnable task) {
        Thread thread = new Thread(task, "test-backend");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept(Script script) {
        try {
            while (true) {
                Socket socket = server.accept();
                sockets.add(socket);
                start(() -> play(script, new Peer(this, socket)));
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void play(Script script, Peer peer) {
        try (Socket socket = peer.socket) {
            socket.setTcpNoDelay(true);
            script.play(peer);
        } catch (Exception e) {
            // the other side hung up
        } finally {
            ended.add(peer);
        }
    }

    int connections() {
        return sockets.size();
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + server.getLocalPort());
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
