package dev.tuna.router.proxy;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A backend that answers rightly, wrongly, twice, half or not at all, as the mark in the request decides; whatever it says
 * bears that mark. What the router sends is read strictly.
 */
final class HostileBackend implements AutoCloseable {

    /** Stands in each request in one place or more, and in all that is answered to it. */
    static final Pattern MARK = Pattern.compile("mk[0-9a-f]{16}");

    private static final Pattern HEAD = Pattern.compile("(GET|POST|PUT|DELETE|HEAD|PATCH|OPTIONS) /\\S* HTTP/1\\.1");

    private static final String CLOSE = "\r\nConnection: close\r\n";

    private static final String[] STATUS_LINES = {
        "HTTP/1.1 200 OK",
        "HTTP/1.1 200",
        "HTTP/1.0 200 OK",
        "HTTP/1.1 099 what",
        "HTTP/1.1 999 what",
        "HTTP/1.1 2000 OK",
        "HTTP/2 200",
        "ICY 200 OK",
        "HTTP/1.1 204 No Content",
        "HTTP/1.1 205 Reset Content",
        "HTTP/1.1 304 Not Modified",
        "HTTP/1.1 303 See Other",
        "HTTP/1.1 101 Switching Protocols",
        "HTTP/1.1 400 Bad Request",
        "HTTP/1.1 401 Unauthorized",
        "HTTP/1.1 408 Request Timeout",
        "HTTP/1.1 429 Too Many Requests",
        "HTTP/1.1 500 Internal Server Error",
        "HTTP/1.1 503 Service Unavailable",
        "",
        "\u0000"
    };

    private static final String[] FIELDS = {
        "Content-Length: 7",
        "Content-Length: 7, 8",
        "Content-Length: -7",
        "Content-Length: 99999999999",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity",
        "Connection: close",
        "Connection: upgrade, x-mine",
        "Keep-Alive: timeout=0",
        "Content-Encoding: gzip",
        "Content-Type: text/event-stream",
        "Content-Type: text/html",
        "Retry-After: 0",
        "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT",
        "Retry-After: -1",
        "Location: /v1/chat/completions",
        "Location: http://evil/",
        "Set-Cookie: a=b",
        "Set-Cookie: \u00e9\u0001",
        "X-A: b\r\n folded",
        "No colon",
        ": no name",
        "Trailer: X-Mine",
        "X-Request-Id: theirs",
        "X-Tuna-Backend: theirs"
    };

    private final ServerSocket server;
    private final int id;
    private final Consumer<String> flaws;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

    HostileBackend(int id, Consumer<String> flaws) throws IOException {
        this.id = id;
        this.flaws = flaws;
        server = new ServerSocket(0, 1024, InetAddress.getLoopbackAddress());
        start(this::accept);
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + server.getLocalPort());
    }

    private static void start(Runnable task) {
        Thread thread = new Thread(null, task, "hostile-backend", 256 << 10);
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = server.accept();
                sockets.add(socket);
                start(() -> serve(socket));
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            socket.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(socket.getInputStream());
            for (String request = read(in); !request.isEmpty(); request = read(in)) {
                if (!answer(request, socket)) {
                    break;
                }
            }
        } catch (IOException e) {
            // the other side hung up
        } finally {
            sockets.remove(socket);
        }
    }

    // --- what the router says ---

    /** Strictly: a server may take anything else for the beginning of another request. */
    private String read(InputStream in) throws IOException {
        ByteArrayOutputStream read = new ByteArrayOutputStream();
        for (int ends = 0; ends < 4; ) {
            int value = in.read();
            if (value < 0) {
                if (read.size() > 0) {
                    flaws.accept("half a head: " + read.toString(StandardCharsets.ISO_8859_1));
                }
                return "";
            }
            read.write(value);
            ends = value == (ends % 2 == 0 ? '\r' : '\n') ? ends + 1 : value == '\r' ? 1 : 0;
        }
        String head = read.toString(StandardCharsets.ISO_8859_1);
        String[] lines = head.substring(0, head.length() - 4).split("\r\n", -1);
        int length = 0;
        int lengths = 0;
        for (String line : lines) {
            String lower = line.toLowerCase(Locale.ROOT);
            if (lower.startsWith("content-length:")) {
                length = Integer.parseInt(line.substring(15).strip());
                lengths++;
            }
            if (lower.startsWith("transfer-encoding") || line.indexOf('\n') >= 0 || line.indexOf('\r') >= 0) {
                flaws.accept("ambiguous: " + head);
            }
        }
        if (!HEAD.matcher(lines[0]).matches() || lengths > 1) {
            flaws.accept("not a request: " + head);
        }
        return head + new String(in.readNBytes(length), StandardCharsets.ISO_8859_1);
    }

    // --- what it gets for it ---

    /** Returns whether the connection goes on. */
    private boolean answer(String request, Socket socket) throws IOException {
        OutputStream out = socket.getOutputStream();
        Matcher found = MARK.matcher(request);
        String mark = found.find() ? found.group() : "mk0000000000000000";
        Hostile peer = new Hostile(Long.parseUnsignedLong(mark.substring(2), 16) + id);
        boolean stream = request.contains("\"stream\":true");
        byte[] good = good(peer, mark, stream, !request.startsWith("POST /v1/completions"));
        switch (peer.random.nextInt(20)) {
            case 0 -> { // more than was asked for, at once
                ByteArrayOutputStream more = new ByteArrayOutputStream();
                more.writeBytes(good);
                more.writeBytes(good(peer, mark, peer.oneIn(2), true));
                more.writeBytes(peer.oneIn(2) ? good : peer.spoilt(good));
                out.write(more.toByteArray());
            }
            case 1, 2 -> write(peer, out, peer.spoilt(good), false);
            case 3 -> {
                String closing = new String(good, StandardCharsets.ISO_8859_1).replaceFirst("\r\n", CLOSE);
                write(peer, out, peer.spoilt(closing.getBytes(StandardCharsets.ISO_8859_1)), false);
                return false;
            }
            case 4 -> {
                write(peer, out, strange(peer, mark), false);
                return peer.oneIn(2);
            }
            case 5 -> { // interim answers first
                out.write((peer.any(new String[] {"HTTP/1.1 100 Continue", "HTTP/1.1 103 Early Hints\r\nLink: </x>"})
                                + "\r\n\r\n")
                        .repeat(1 + peer.upTo(3))
                        .getBytes(StandardCharsets.ISO_8859_1));
                write(peer, out, good, true);
            }
            case 6 -> {
                out.write(good, 0, peer.random.nextInt(good.length));
                return false;
            }
            case 7 -> {
                out.write(good, 0, peer.random.nextInt(good.length));
                socket.setSoLinger(true, 0);
                return false;
            }
            case 8 -> { // says no more; whether the router hangs up is the question
                out.write(good, 0, peer.oneIn(2) ? 0 : peer.random.nextInt(good.length));
                while (socket.getInputStream().read() >= 0) {
                    // nothing should come
                }
                return false;
            }
            case 9 -> {
                out.write(("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"mark\":\"" + mark + "\"}")
                        .getBytes(StandardCharsets.ISO_8859_1));
                return false;
            }
            default -> write(peer, out, good, true);
        }
        return true;
    }

    /**
     * As the network would deliver it, unless what is behind an answer's end could then come after another request has been
     * sent on the connection: nobody could tell it from that one's answer.
     */
    private static void write(Hostile peer, OutputStream out, byte[] bytes, boolean right) throws IOException {
        if (peer.oneIn(3) && (right || new String(bytes, StandardCharsets.ISO_8859_1).contains(CLOSE))) {
            for (byte[] piece : peer.pieces(bytes)) {
                out.write(piece);
            }
        } else {
            out.write(bytes);
        }
    }

    private static byte[] good(Hostile peer, String mark, boolean stream, boolean chat) {
        if (!stream) {
            byte[] body = ("{\"id\":\"" + mark
                            + "\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"" + mark
                            + "\"},\"finish_reason\":\"stop\"}]}")
                    .getBytes(StandardCharsets.ISO_8859_1);
            return peer.oneIn(2) ? framed(peer, "application/json", body) : chunked(peer, "application/json", body);
        }
        int[] tokens = IntStream.range(0, peer.upTo(12))
                .map(any -> 1 + peer.random.nextInt(40))
                .toArray();
        List<String> events = peer.events(chat, new int[] {1, 2, 3}, tokens, !peer.oneIn(4)).stream()
                .map(event -> event.replace("\"model\":\"m\"", "\"model\":\"" + mark + "\""))
                .toList();
        byte[] said = peer.oneIn(2) ? String.join("", events).getBytes(StandardCharsets.UTF_8) : peer.stream(events);
        return peer.oneIn(5) ? framed(peer, "text/event-stream", said) : chunked(peer, "text/event-stream", said);
    }

    private static byte[] framed(Hostile peer, String type, byte[] body) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(head(peer, type, "Content-Length: " + body.length));
        all.writeBytes(body);
        return all.toByteArray();
    }

    private static byte[] chunked(Hostile peer, String type, byte[] body) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(head(peer, type, "Transfer-Encoding: chunked"));
        for (byte[] piece : peer.pieces(body)) {
            all.writeBytes((Integer.toHexString(piece.length) + "\r\n").getBytes(StandardCharsets.US_ASCII));
            all.writeBytes(piece);
            all.writeBytes("\r\n".getBytes(StandardCharsets.US_ASCII));
        }
        all.writeBytes(
                (peer.oneIn(20) ? "0\r\nX-Trailer: x\r\n\r\n" : "0\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        return all.toByteArray();
    }

    private static byte[] head(Hostile peer, String type, String framing) {
        String status = peer.oneIn(12) ? STATUS_LINES[13 + peer.random.nextInt(6)] : "HTTP/1.1 200 OK";
        return (status + "\r\nContent-Type: " + type + "\r\n" + framing + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] strange(Hostile peer, String mark) {
        StringBuilder head = new StringBuilder(peer.any(STATUS_LINES)).append("\r\n");
        for (int i = peer.upTo(4); i > 0; i--) {
            head.append(peer.any(FIELDS)).append("\r\n");
        }
        if (peer.oneIn(30)) {
            head.append("X-Long: ")
                    .append("x".repeat(peer.random.nextInt(100_000)))
                    .append("\r\n");
        }
        byte[] body = ("\r\n" + mark + " ".repeat(peer.upTo(20)) + mark).getBytes(StandardCharsets.ISO_8859_1);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(head.toString().getBytes(StandardCharsets.ISO_8859_1));
        all.writeBytes(peer.oneIn(2) ? body : peer.chunk(body));
        return all.toByteArray();
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
