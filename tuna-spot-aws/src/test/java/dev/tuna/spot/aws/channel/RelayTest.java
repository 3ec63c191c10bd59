package dev.tuna.spot.aws.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The relay between the router and an engine of which every byte is known. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RelayTest {

    private static final int PATIENCE_MILLIS = 60_000;
    private static final int LARGE = 48 << 20;
    private static final String GET = "GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n";

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final LinkedBlockingQueue<Socket> requests = new LinkedBlockingQueue<>();
    private Rig rig;
    private ServerSocket engine;

    @BeforeAll
    void boot(@TempDir Path root) throws Exception {
        rig = new Rig(root);
        // Before the engine gets its keys and starts, its place is taken.
        engine = new ServerSocket(rig.machine.engine().getPort(), 64, InetAddress.getLoopbackAddress());
        threads.execute(this::accept);
        rig.seen("enrolment", report -> true);
    }

    @AfterAll
    void end() throws Exception {
        threads.shutdownNow();
        if (engine != null) {
            engine.close();
        }
        if (rig != null) {
            rig.close();
        }
    }

    @AfterEach
    void nothingIsLeftOpen() {
        rig.until("nothing in flight", () -> Optional.of(rig.channel.look()).filter(report -> report.inFlight() == 0));
    }

    private void accept() {
        while (!engine.isClosed()) {
            try {
                Socket socket = engine.accept();
                socket.setSoTimeout(PATIENCE_MILLIS);
                threads.execute(() -> sort(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    /** Answers health checks; the rest is the tests'. */
    private void sort(Socket socket) {
        try {
            socket.setReceiveBufferSize(64 << 10);
            String head = head(socket.getInputStream());
            if (head.startsWith("GET /health ")) {
                try (socket) {
                    send(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                }
            } else {
                requests.add(socket);
            }
        } catch (IOException e) {
            // Hung up.
        }
    }

    private static String head(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                return head.toString();
            }
            head.append((char) next);
        }
        return head.toString();
    }

    private static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().flush();
    }

    private static String read(Socket socket, int bytes) throws IOException {
        return new String(socket.getInputStream().readNBytes(bytes), StandardCharsets.ISO_8859_1);
    }

    private Socket client() throws IOException {
        Socket socket = rig.trust
                .router(Rig.REPLICA)
                .sslContext()
                .getSocketFactory()
                .createSocket(
                        rig.machine.address().getAddress(),
                        rig.machine.address().getPort());
        socket.setSoTimeout(PATIENCE_MILLIS);
        return socket;
    }

    private Socket taken() throws InterruptedException {
        Socket socket = requests.poll(60, TimeUnit.SECONDS);
        assertThat(socket).as("a request that reached the engine").isNotNull();
        return socket;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\nTrailer: t\r\n\r\n",
                "HTTP/1.1 204 No Content\r\n\r\n",
                "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
                "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
            })
    void answersPassAsTheyAreHoweverTheyAreCutAndTheConnectionServesOn(String answer) throws Exception {
        try (Socket client = client()) {
            for (boolean bytewise : new boolean[] {true, false}) {
                send(client, GET);
                try (Socket engine = taken()) {
                    engine.setTcpNoDelay(true);
                    for (String part : bytewise ? answer.split("") : new String[] {answer}) {
                        send(engine, part);
                    }
                    assertThat(read(client, answer.length())).isEqualTo(answer);
                }
            }
        }
    }

    @Test
    void requestsPassAsTheyAreAndTheNextOneWaitsForItsTurn() throws Exception {
        String body = "3\r\nabc\r\n0\r\n\r\n";
        String first = "POST /v1/x?y=z HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".concat(body);
        try (Socket client = client()) {
            send(client, first + GET);
            try (Socket engine = requests.poll(60, TimeUnit.SECONDS)) {
                // The head has been read already, by whoever sorts requests.
                assertThat(read(engine, body.length())).isEqualTo(body);
                assertThat(requests).isEmpty();
                send(engine, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
            }
            assertThat(read(client, 39)).endsWith("\r\n\r\n1");
            try (Socket engine = taken()) {
                send(engine, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
            }
            assertThat(read(client, 39)).endsWith("\r\n\r\n2");
        }
    }

    @Test
    void anAnswerWithoutLengthIsPassedOnInChunksSoThatItsEndIsSeen() throws Exception {
        try (Socket client = client()) {
            for (String version : new String[] {"1.1", "1.0"}) {
                send(client, GET);
                try (Socket engine = taken()) {
                    send(engine, "HTTP/" + version + " 200 OK\r\nA: b\r\n\r\nhello");
                }
                String passed = "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
                assertThat(read(client, passed.length())).isEqualTo(passed);
            }
        }
    }

    @ParameterizedTest(name = "{0}, reset: {1}")
    @CsvSource({
        "'', true",
        "Content-Length: 100, true",
        "Content-Length: 100, false",
        "Transfer-Encoding: chunked, true",
        "Transfer-Encoding: chunked, false"
    })
    void anAnswerThatBreaksOffIsNotTakenForAWholeOne(String field, boolean reset) throws Exception {
        HttpClient client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .sslContext(rig.trust.router(Rig.REPLICA).sslContext())
                .build();
        var answer = client.sendAsync(
                HttpRequest.newBuilder(URI.create(rig.channel.backend().url() + "/v1/models"))
                        .build(),
                HttpResponse.BodyHandlers.ofInputStream());
        InputStream in;
        try (Socket engine = taken()) {
            String body = field.startsWith("T") ? "5\r\nhello\r\n" : "hello";
            send(engine, "HTTP/1.1 200 OK\r\n" + field + (field.isEmpty() ? "" : "\r\n") + "\r\n" + body);
            in = answer.get(60, TimeUnit.SECONDS).body();
            assertThat(in.readNBytes(5)).asString(StandardCharsets.US_ASCII).isEqualTo("hello");
            engine.setSoLinger(reset, 0);
        }
        assertThatThrownBy(in::readAllBytes).isInstanceOf(IOException.class);
    }

    @Test
    void aRefusalSaysThatItIsTheLastWordAndHangsUpOnceTheRequestHasComeWhole() throws Exception {
        try (Socket client = client()) {
            send(client, "POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345");
            taken().close();
            String head = head(client.getInputStream());
            assertThat(head)
                    .startsWith("HTTP/1.1 502 ")
                    .contains("X-Tuna-Replica: engine-lost\r\n")
                    .contains("Connection: close\r\n");
            int length = Integer.parseInt(head.replaceAll("(?s).*Content-Length: (\\d+).*", "$1"));
            assertThat(read(client, length)).contains("hung up");
            send(client, "67890" + GET);
            assertThat(client.getInputStream().read()).isNegative();
            assertThat(requests).isEmpty();
        }
    }

    @Test
    void anEngineThatHangsUpMayHaveBegun() throws Exception {
        try (Socket client = client()) {
            send(client, GET);
            taken().close();
            String head = head(client.getInputStream());
            assertThat(head).startsWith("HTTP/1.1 502 ").contains("X-Tuna-Replica: engine-lost");
        }
    }

    @Test
    void aClientThatHangsUpIsHangedUpOnAtTheEngine() throws Exception {
        Socket engine;
        try (Socket client = client()) {
            send(client, GET);
            engine = taken();
            send(engine, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
            assertThat(read(client, 57)).endsWith("hello\r\n");
        }
        assertThat(engine.getInputStream().read()).isNegative();
        engine.close();
    }

    @Test
    void anEngineIsHeldUpByAClientThatDoesNotRead() throws Exception {
        String head = "HTTP/1.1 200 OK\r\nContent-Length: " + LARGE + "\r\n\r\n";
        byte[] content = content();
        AtomicLong written = new AtomicLong();
        try (Socket client = client()) {
            send(client, GET);
            try (Socket engine = taken()) {
                send(engine, head);
                Future<?> writing = threads.submit(() -> write(engine.getOutputStream(), content, written));
                heldUp(written);
                assertThat(read(client, head.length())).isEqualTo(head);
                assertThat(Arrays.equals(client.getInputStream().readNBytes(LARGE), content))
                        .isTrue();
                writing.get(60, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void aClientIsHeldUpByAnEngineThatDoesNotRead() throws Exception {
        byte[] content = content();
        AtomicLong written = new AtomicLong();
        try (Socket client = client()) {
            send(client, "POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: " + LARGE + "\r\n\r\n");
            try (Socket engine = taken()) {
                Future<?> writing = threads.submit(() -> write(client.getOutputStream(), content, written));
                heldUp(written);
                assertThat(Arrays.equals(engine.getInputStream().readNBytes(LARGE), content))
                        .isTrue();
                writing.get(60, TimeUnit.SECONDS);
                send(engine, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                assertThat(head(client.getInputStream())).startsWith("HTTP/1.1 200 ");
            }
        }
    }

    private static byte[] content() {
        byte[] content = new byte[LARGE];
        new Random(1).nextBytes(content);
        return content;
    }

    private static Object write(OutputStream out, byte[] content, AtomicLong written) throws IOException {
        for (int at = 0; at < content.length; at += 64 << 10) {
            out.write(content, at, Math.min(64 << 10, content.length - at));
            written.set(at);
        }
        return content;
    }

    /** Until nothing has been taken for a while; what the kernels hold is not the relay's. */
    private void heldUp(AtomicLong written) {
        long[] before = {-1, 0};
        rig.until("being held up", () -> {
            long now = written.get();
            before[1] = now > 0 && now == before[0] ? before[1] + 1 : 0;
            before[0] = now;
            return before[1] >= 10 ? Optional.of(now) : Optional.empty();
        });
        assertThat(written.get()).isLessThan(LARGE / 2);
    }
}
