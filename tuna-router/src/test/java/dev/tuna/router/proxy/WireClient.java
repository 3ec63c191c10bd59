package dev.tuna.router.proxy;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** A client on one socket: sends a request, reads as much of the answer as it likes, as slowly as it likes. */
final class WireClient implements AutoCloseable {

    /** An answer's status and header, names in lower case. */
    record Head(int status, Map<String, String> fields) {

        String field(String name) {
            return fields.getOrDefault(name, "");
        }
    }

    private static final int READ_AT_ONCE = 4096;

    private final Socket socket = new Socket();
    private final InputStream in;
    private long left;
    private boolean chunked;

    private WireClient(int port, int receiveBuffer) throws IOException {
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        socket.setSoTimeout(120_000);
        socket.setTcpNoDelay(true);
        in = new BufferedInputStream(socket.getInputStream(), READ_AT_ONCE);
    }

    static WireClient to(int port) throws IOException {
        return new WireClient(port, 0);
    }

    /** One whose kernel takes little, so that what it does not read waits in the router. */
    static WireClient narrow(int port) throws IOException {
        return new WireClient(port, READ_AT_ONCE);
    }

    void send(String path, String body, String... fields) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        StringBuilder head = new StringBuilder("POST " + path + " HTTP/1.1\r\nHost: tuna\r\n");
        head.append("Content-Type: application/json\r\nContent-Length: ").append(bytes.length);
        for (String field : fields) {
            head.append("\r\n").append(field);
        }
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.writeBytes(head.append("\r\n\r\n").toString().getBytes(StandardCharsets.UTF_8));
        whole.writeBytes(bytes);
        send(whole.toByteArray());
    }

    void send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
    }

    /** The next answer's head; interim answers are skipped. */
    Head head() throws IOException {
        int status;
        Map<String, String> fields;
        do {
            status = Integer.parseInt(line().split(" ", 3)[1]);
            fields = fields();
        } while (status < 200);
        chunked = fields.getOrDefault("transfer-encoding", "").equals("chunked");
        left = chunked ? 0 : Long.parseLong(fields.getOrDefault("content-length", "0"));
        return new Head(status, fields);
    }

    private Map<String, String> fields() throws IOException {
        Map<String, String> fields = new LinkedHashMap<>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            int colon = line.indexOf(':');
            fields.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        }
        return fields;
    }

    /** Some more of the body, a few KiB at most; empty at its end. Fails if the connection ends before. */
    byte[] piece() throws IOException {
        if (chunked && left == 0) {
            left = Long.parseLong(line(), 16);
            if (left == 0) {
                line();
                chunked = false;
            }
        }
        byte[] piece = in.readNBytes((int) Math.min(READ_AT_ONCE, left));
        if (piece.length < Math.min(READ_AT_ONCE, left)) {
            throw new EOFException("cut in the body");
        }
        left -= piece.length;
        if (chunked && left == 0) {
            line();
        }
        return piece;
    }

    String body() throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (byte[] piece = piece(); piece.length > 0; piece = piece()) {
            body.writeBytes(piece);
        }
        return body.toString(StandardCharsets.UTF_8);
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int value = in.read(); value != '\n'; value = in.read()) {
            if (value < 0) {
                throw new EOFException("cut");
            }
            line.append((char) value);
        }
        return line.toString().strip();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
