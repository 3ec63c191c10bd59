package dev.tuna.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.testkit.vllm.VllmStandIn;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** How much one router process can hold. Needs about 15,000 open files in this process and as many in the router's. */
@Tag("full")
class RouterCapacityIT {

    private static final int IDLE = 5_000;
    private static final int STREAMS = 5_000;
    private static final long MOST_KIB = 768 * 1024;

    private final VllmStandIn backend = VllmStandIn.builder()
            .capacity(2 * STREAMS)
            .timeToFirstToken(Duration.ofSeconds(90))
            .start();
    private final List<Socket> sockets = new ArrayList<>();
    private final Process router;

    RouterCapacityIT() throws IOException {
        router = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        RouterMain.class.getName(),
                        "--listen",
                        "127.0.0.1:0",
                        "--serverless",
                        backend.uri().toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD) // a full pipe would stop it at its access log
                .start();
    }

    @AfterEach
    void end() throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
        router.destroyForcibly();
        backend.close();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    @DisplayName(
            "R15 5,000 idle connections and 5,000 streams at once fit into one process, with every setting as it is")
    void idleConnectionsAndStreamsFitIntoOneProcess() throws Exception {
        int port = port();
        for (int i = 0; i < IDLE; i++) {
            Socket idle = connect(port);
            send(idle, "GET /router/livez HTTP/1.1\r\nHost: router\r\n\r\n");
            assertThat(line(idle)).startsWith("HTTP/1.1 200");
        }
        List<Socket> streams = new ArrayList<>();
        String body = "{\"model\":\"" + backend.model()
                + "\",\"stream\":true,\"max_tokens\":4,\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}";
        for (int i = 0; i < STREAMS; i++) {
            Socket stream = connect(port);
            send(
                    stream,
                    "POST /v1/chat/completions HTTP/1.1\r\nHost: router\r\nContent-Type: application/json\r\n"
                            + "Connection: close\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
            streams.add(stream);
        }
        Patience.await("all streams to run", Duration.ofMinutes(2), () -> backend.running() == STREAMS);
        for (Socket stream : streams) {
            assertThat(new String(stream.getInputStream().readAllBytes(), UTF_8))
                    .startsWith("HTTP/1.1 200")
                    .contains("data: [DONE]");
        }
        long peak = peakResidentKib();
        System.out.println("router process: peak resident " + peak / 1024 + " MiB");
        assertThat(peak).isLessThanOrEqualTo(MOST_KIB);
    }

    private int port() throws IOException {
        var output = new BufferedReader(new InputStreamReader(router.getInputStream(), UTF_8));
        String line = output.readLine();
        return Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
    }

    private Socket connect(int port) throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(120_000);
        sockets.add(socket);
        return socket;
    }

    private static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(UTF_8));
    }

    private static String line(Socket socket) throws IOException {
        byte[] head = new byte[64];
        int read = socket.getInputStream().read(head);
        return new String(head, 0, Math.max(0, read), UTF_8);
    }

    private long peakResidentKib() throws IOException {
        return Files.readAllLines(Path.of("/proc", Long.toString(router.pid()), "status")).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow();
    }
}
