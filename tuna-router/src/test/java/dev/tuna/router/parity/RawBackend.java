package dev.tuna.router.parity;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A server that answers each request with bytes of the test's choosing and keeps the requests as bytes. */
final class RawBackend implements AutoCloseable {

    /** Answers one request on a connection that closes afterwards. */
    @FunctionalInterface
    interface Script {
        void answer(Socket connection) throws Exception;
    }

    private final ServerSocket server;
    private final Script script;
    private final List<Socket> connections = new CopyOnWriteArrayList<>();
    final List<String> requests = new CopyOnWriteArrayList<>();

    RawBackend(Script script) throws IOException {
        this.script = script;
        server = new ServerSocket(0, 500, InetAddress.getLoopbackAddress());
        start("tuna-test-raw-accept", this::accept);
    }

    static RawBackend answering(String response) throws IOException {
        return new RawBackend(connection -> ParityRig.write(connection, response));
    }

    static RawBackend answeringJson(String body, String... fields) throws IOException {
        StringBuilder head = new StringBuilder("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n");
        for (String field : fields) {
            head.append(field).append("\r\n");
        }
        return answering(head + "Content-Length: " + body.length() + "\r\n\r\n" + body);
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + server.getLocalPort());
    }

    /** The only request. */
    String request() {
        ParityRig.await("a request has come", () -> !requests.isEmpty());
        if (requests.size() != 1) {
            throw new AssertionError("not one request but " + requests);
        }
        return requests.get(0);
    }

    private static void start(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket connection = server.accept();
                connections.add(connection);
                start("tuna-test-raw", () -> serve(connection));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            connection.setTcpNoDelay(true);
            String request = readRequest(new BufferedInputStream(connection.getInputStream()));
            if (request.startsWith("GET /metrics ")) {
                ParityRig.write(connection, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                return; // no script is about that
            }
            requests.add(request);
            script.answer(connection);
        } catch (Exception e) {
            return; // the router hung up, which the test sees for itself
        } finally {
            connections.remove(connection);
        }
    }

    int openConnections() {
        return connections.size();
    }

    private static String readRequest(InputStream in) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        while (!bytes.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
            int value = in.read();
            if (value < 0) {
                throw new IOException("ended inside the head");
            }
            bytes.write(value);
        }
        String head = bytes.toString(StandardCharsets.ISO_8859_1);
        int length = head.lines()
                .filter(line -> line.regionMatches(true, 0, "content-length:", 0, 15))
                .mapToInt(line -> Integer.parseInt(line.substring(15).strip()))
                .findFirst()
                .orElse(0);
        bytes.writeBytes(in.readNBytes(length));
        return bytes.toString(StandardCharsets.ISO_8859_1);
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket connection : connections) {
            connection.close();
        }
    }
}
