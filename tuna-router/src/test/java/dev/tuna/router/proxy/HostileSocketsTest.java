package dev.tuna.router.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RouterConfig;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.Matcher;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Clients and backends that say anything, over sockets, many at once: nobody gets what is another's, nobody is kept
 * waiting, and the router serves as before afterwards. Seeded; a failure names its client. Which requests meet is up to the
 * scheduler, so that a failure may need more than one run to come again.
 */
class HostileSocketsTest {

    private static final long SEED = 20261130;

    /** No limit of the router's is longer; that all of them together are not is what is tested. */
    private static final int HANGS_MILLIS = 60_000;

    private static final RouterConfig CONFIG = RouterConfig.builder()
            .port(0)
            .ioThreads(2)
            .headerTimeout(Duration.ofMillis(500))
            .keepAliveTimeout(Duration.ofMillis(500))
            .build();

    private static final RoutePolicy POLICY = RoutePolicy.builder()
            .waitLimit(Duration.ofSeconds(1))
            .firstTokenTimeout(Duration.ofMillis(300))
            .idleTimeout(Duration.ofMillis(300))
            .deadline(Duration.ofSeconds(2))
            .heartbeat(Duration.ofMillis(200))
            .breaker(new RoutePolicy.Breaker(Integer.MAX_VALUE, Duration.ZERO, 64, 1, Duration.ZERO))
            .build();

    /** Which client sent a mark. */
    private final Map<String, Integer> marks = new ConcurrentHashMap<>();

    private final Queue<String> flaws = new ConcurrentLinkedQueue<>();
    private final LongAdder answers = new LongAdder();
    private final LongAdder wholeAnswers = new LongAdder();

    private void flaw(String what) {
        if (flaws.size() < 10) {
            flaws.add(what);
        }
    }

    @Test
    @DisplayName("a sample of hostile clients and backends get what is theirs, and harm nobody else")
    void sample() throws Exception {
        run(400, 64);
    }

    @Test
    @Tag("full")
    @DisplayName("many thousand hostile clients and backends get what is theirs, and harm nobody else")
    void many() throws Exception {
        run(30_000, 128);
    }

    private void run(int clients, int atOnce) throws Exception {
        long began = System.nanoTime();
        try (LoggedErrors logged = LoggedErrors.listen();
                Bench bench = new Bench(CONFIG)) {
            HostileBackend one = bench.own(new HostileBackend(1, this::flaw));
            HostileBackend two = bench.own(new HostileBackend(2, this::flaw));
            HostileBackend cloud = bench.own(new HostileBackend(3, this::flaw));
            bench.router.put(Bench.route(
                    List.of(Bench.serverless("cloud", cloud.uri())),
                    List.of(Bench.spot("one", one.uri()), Bench.spot("two", two.uri())),
                    POLICY));
            together(clients, atOnce, bench);
            TrafficStats traffic = bench.settled();
            System.out.printf(
                    "hostile sockets: %d clients, %d at once, %.0f s, %d answers, %d of them whole, %s, %d failures of backends%n",
                    clients,
                    atOnce,
                    (System.nanoTime() - began) / 1e9,
                    answers.sum(),
                    wholeAnswers.sum(),
                    traffic,
                    bench.failures.size());
            assertThat(flaws).isEmpty();
            assertThat(wholeAnswers.sum()).as("not all is refused").isGreaterThan(clients / 4L);
            assertThat(bench.load().backends().values()).allMatch(load -> load.inFlight() == 0);
            servesAsBefore(bench);
            assertThat(logged.lines()).isEmpty();
        }
    }

    private void together(int clients, int atOnce, Bench bench) throws InterruptedException {
        AtomicInteger next = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < atOnce; i++) {
            threads.add(new Thread(
                    null,
                    () -> {
                        for (int client = next.getAndIncrement(); client < clients; client = next.getAndIncrement()) {
                            client(client, bench);
                        }
                    },
                    "hostile-client-" + i,
                    256 << 10));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
    }

    /** What was kept of a buffer that leaked is reported as further ones are made, once it has been collected. */
    private static void servesAsBefore(Bench bench) throws Exception {
        bench.route(List.of(), List.of(Bench.spot("good", bench.standIn().uri())));
        for (int i = 0; i < 3; i++) {
            System.gc();
            assertThat(Bench.events(fresh(bench, Bench.stream("hello")).body())).endsWith("[DONE]");
            assertThat(fresh(bench, Bench.chat("hello", "")).statusCode()).isEqualTo(200);
        }
    }

    /** By a connection of its own: one that was kept would be closed at any moment here. */
    private static HttpResponse<String> fresh(Bench bench, String body) throws Exception {
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .build()
                .send(bench.request(Bench.CHAT, body), BodyHandlers.ofString());
    }

    // --- one client ---

    private void client(int index, Bench bench) {
        Hostile peer = new Hostile(SEED + 1_000_003L * index);
        List<String> own = new ArrayList<>();
        for (int i = peer.upTo(3); i >= 0; i--) {
            String mark = String.format("mk%016x", peer.random.nextLong());
            own.add(mark);
            marks.put(mark, index);
        }
        boolean honest = peer.oneIn(2);
        ByteArrayOutputStream sent = new ByteArrayOutputStream();
        for (String mark : own) {
            sent.writeBytes(honest ? request(peer, mark) : peer.request(body(peer, mark)));
        }
        byte[] got = {};
        try (Socket socket = bench.socket()) {
            socket.setSoTimeout(HANGS_MILLIS);
            socket.setTcpNoDelay(true);
            got = converse(peer, socket, sent.toByteArray());
        } catch (SocketTimeoutException e) {
            flaw("client " + index + " of seed " + SEED + " was kept waiting, having sent " + text(sent.toByteArray()));
        } catch (IOException e) {
            // the router hung up while more was being sent
        }
        check(index, own, honest, sent.toByteArray(), got);
    }

    private static byte[] request(Hostile peer, String mark) {
        String path = peer.oneIn(3) ? "/v1/completions" : Bench.CHAT;
        byte[] body = body(peer, mark).getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        String head = "POST " + path + " HTTP/1.1\r\nHost: tuna\r\nX-Request-Id: " + mark + "\r\n";
        if (peer.oneIn(3)) {
            all.writeBytes((head + "Transfer-Encoding: chunked\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            for (byte[] piece : peer.pieces(body)) {
                all.writeBytes((Integer.toHexString(piece.length) + "\r\n").getBytes(StandardCharsets.US_ASCII));
                all.writeBytes(piece);
                all.writeBytes("\r\n".getBytes(StandardCharsets.US_ASCII));
            }
            all.writeBytes("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        } else {
            all.writeBytes((head + "Content-Length: " + body.length + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            all.writeBytes(body);
        }
        return all.toByteArray();
    }

    private static String body(Hostile peer, String mark) {
        if (peer.oneIn(4)) {
            return peer.requestBody().replaceFirst("\\{", "{\"user\":\"" + mark + "\",");
        }
        return "{\"model\":\"" + Bench.MODEL + "\",\"messages\":[{\"role\":\"user\",\"content\":\"" + mark
                + "\"}],\"prompt\":\"" + mark + "\"" + (peer.oneIn(2) ? ",\"stream\":true}" : "}");
    }

    /** Sends all, in pieces, and reads what comes until the router hangs up, or leaves before. */
    private static byte[] converse(Hostile peer, Socket socket, byte[] all) throws IOException {
        List<byte[]> pieces = peer.oneIn(2) ? peer.pieces(all) : List.of(all);
        boolean leaves = peer.oneIn(5);
        int stay = leaves ? peer.upTo(pieces.size()) : pieces.size();
        ByteArrayOutputStream got = new ByteArrayOutputStream();
        try {
            for (byte[] piece : pieces.subList(0, stay)) {
                socket.getOutputStream().write(piece);
            }
            if (!leaves && peer.oneIn(2)) {
                socket.shutdownOutput();
            }
        } catch (IOException e) {
            // what it said before it hung up may still be there
        }
        InputStream in = socket.getInputStream();
        byte[] some = new byte[4096];
        int most = leaves ? peer.random.nextInt(2000) : Integer.MAX_VALUE;
        try {
            for (int read = in.read(some); read >= 0 && got.size() < most; read = in.read(some)) {
                got.write(some, 0, read);
            }
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (IOException e) {
            // a reset
        }
        if (leaves && peer.oneIn(2)) {
            socket.setSoLinger(true, 0);
        }
        return got.toByteArray();
    }

    // --- what it got ---

    private void check(int index, List<String> own, boolean honest, byte[] sent, byte[] got) {
        String all = text(got);
        Matcher found = HostileBackend.MARK.matcher(all);
        while (found.find()) {
            Integer whose = marks.get(found.group());
            if (whose != null && whose != index) {
                flaw("client " + index + " of seed " + SEED + " got what is client " + whose + "'s: " + all);
                return;
            }
        }
        try {
            List<String> heard = heard(got);
            answers.add(heard.size());
            if (honest && heard.size() > own.size()) {
                throw new IllegalArgumentException("more answers than requests");
            }
            for (int i = 0; honest && i < heard.size(); i++) {
                for (int other = 0; other < own.size(); other++) {
                    if (other != i && heard.get(i).contains(own.get(other))) {
                        throw new IllegalArgumentException("answer " + i + " is that of request " + other);
                    }
                }
            }
        } catch (IllegalArgumentException | IOException e) {
            flaw("client " + index + " of seed " + SEED + ": " + e.getMessage() + ", having sent " + text(sent)
                    + "\nand got " + all);
        }
    }

    /** The answers, the last of which may be cut. Fails on what no client would understand. */
    private List<String> heard(byte[] got) throws IOException {
        List<String> heard = new ArrayList<>();
        ByteArrayInputStream in = new ByteArrayInputStream(got);
        while (in.available() > 0) {
            StringBuilder answer = new StringBuilder();
            boolean whole = readAnswer(in, answer);
            if (!answer.toString().startsWith("HTTP/1.1 1")) {
                heard.add(answer.toString());
                wholeAnswers.add(whole ? 1 : 0);
            }
        }
        return heard;
    }

    /** Returns whether it is whole. */
    private static boolean readAnswer(ByteArrayInputStream in, StringBuilder answer) throws IOException {
        String status = line(in, answer);
        if (!status.isEmpty() && in.available() > 0 && !status.matches("HTTP/1\\.1 [1-9]\\d\\d.*")) {
            throw new IllegalArgumentException("not an answer: '" + status + "'");
        }
        long length = -1;
        boolean chunked = false;
        String field = line(in, answer);
        for (; !field.isEmpty(); field = line(in, answer)) {
            String lower = field.toLowerCase(Locale.ROOT);
            if (lower.startsWith("content-length:")) {
                if (length >= 0) {
                    throw new IllegalArgumentException("two lengths");
                }
                length = Long.parseLong(lower.substring(15).strip());
            } else if (lower.startsWith("transfer-encoding:")) {
                chunked = lower.endsWith("chunked");
            }
        }
        if (chunked && length >= 0) {
            throw new IllegalArgumentException("a length and chunks");
        }
        if (status.matches("HTTP/1\\.1 (1\\d\\d|204|304).*")) {
            return true;
        }
        if (!chunked && length < 0) { // to the connection's end
            answer.append(text(in.readAllBytes()));
            return true;
        }
        if (!chunked) {
            byte[] body = in.readNBytes((int) length);
            answer.append(text(body));
            return body.length == length;
        }
        while (in.available() > 0) {
            String size = line(in, answer);
            if (in.available() == 0) {
                return false;
            }
            int left = Integer.parseInt(size, 16);
            if (left == 0) {
                return line(in, answer).isEmpty();
            }
            answer.append(text(in.readNBytes(left)));
            line(in, answer);
        }
        return false;
    }

    private static String line(ByteArrayInputStream in, StringBuilder answer) {
        StringBuilder line = new StringBuilder();
        for (int value = in.read(); value >= 0 && value != '\n'; value = in.read()) {
            line.append((char) value);
        }
        answer.append(line).append('\n');
        return line.toString().strip();
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
