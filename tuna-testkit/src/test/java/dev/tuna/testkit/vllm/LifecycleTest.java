package dev.tuna.testkit.vllm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.testkit.vllm.Wire.Events;
import dev.tuna.testkit.vllm.Wire.Raw;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class LifecycleTest {

    private static final String STREAM = Wire.chat("hello", ",\"stream\":true");
    /** Slow enough that it never finishes within a test. */
    private static final double CRAWL = 0.01;

    private static void connect(VllmStandIn server) throws Exception {
        new Socket(InetAddress.getLoopbackAddress(), server.port()).close();
    }

    @Test
    void refusesConnectionsWhileItBoots() throws Exception {
        try (VllmStandIn slow =
                VllmStandIn.builder().bootTime(Duration.ofHours(1)).start()) {
            assertThat(slow.listening()).isFalse();
            assertThatThrownBy(() -> connect(slow)).isInstanceOf(ConnectException.class);
        }
        try (VllmStandIn quick =
                VllmStandIn.builder().bootTime(Duration.ofMillis(30)).start()) {
            Wire.await("it booted", quick::listening);
            assertThat(Wire.get(quick, "/health").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void namesAPortThatIsTaken() {
        try (VllmStandIn first = VllmStandIn.start()) {
            assertThatThrownBy(() -> VllmStandIn.builder().port(first.port()).start())
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContaining(Integer.toString(first.port()));
        }
    }

    @Test
    void comesBackOnTheSamePort() throws Exception {
        int port;
        try (VllmStandIn first = VllmStandIn.start()) {
            port = first.port();
            Wire.get(first, "/health");
        }
        try (VllmStandIn second = VllmStandIn.builder().port(port).start()) {
            assertThat(Wire.get(second, "/health").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void queuesBeyondItsCapacityAndGoesOnInOrder() throws Exception {
        try (VllmStandIn server =
                VllmStandIn.builder().capacity(2).tokensPerSecond(CRAWL).start()) {
            List<Socket> sockets = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                sockets.add(Wire.open(server, Wire.CHAT, STREAM));
                int arrived = i + 1;
                Wire.await("it arrived", () -> server.running() + server.waiting() == arrived);
            }
            assertThat(server.running()).isEqualTo(2);
            assertThat(server.waiting()).isEqualTo(3);
            assertThat(Wire.get(server, "/metrics").body())
                    .contains("num_requests_waiting{engine=\"0\",model_name=\"stand-in/tiny\"} 3.0");
            assertThat(Wire.get(server, "/load").body()).isEqualTo("{\"server_load\":5}");
            sockets.get(0).close();
            Wire.await("the next one runs", () -> server.waiting() == 2);
            Wire.await(
                    "the third got a token",
                    () -> server.requests(Wire.CHAT).get(2).tokens() == 1);
            for (Socket socket : sockets) {
                socket.close();
            }
            Wire.await("all are gone", () -> server.running() + server.waiting() == 0);
            assertThat(server.stats().aborted()).isEqualTo(5);
        }
    }

    @Test
    void cancelsAnAnswerThatIsNotStreamedWhenTheClientLeaves() throws Exception {
        try (VllmStandIn server =
                VllmStandIn.builder().timeToFirstToken(Duration.ofHours(1)).start()) {
            try (Socket socket = Wire.open(server, Wire.CHAT, Wire.chat("hello", ""))) {
                assertThat(socket.isConnected()).isTrue();
                Wire.await("it runs", () -> server.running() == 1);
            }
            Wire.await("it is aborted", () -> server.stats().aborted() == 1);
            assertThat(server.running()).isZero();
        }
    }

    @Test
    void commentsOnASilentStreamWhenToldTo() throws Exception {
        try (VllmStandIn server = VllmStandIn.builder()
                .keepAliveInterval(Duration.ofMillis(5))
                .timeToFirstToken(Duration.ofMillis(200))
                .start()) {
            String body = Wire.post(server, Wire.CHAT, STREAM).body();
            assertThat(body).startsWith(": keep-alive\n\n");
            assertThat(Wire.events(body).done()).isTrue();
        }
    }

    @Test
    void resetsEverythingWhenKilled() throws Exception {
        try (VllmStandIn server = VllmStandIn.builder().tokensPerSecond(CRAWL).start()) {
            Socket running = Wire.open(server, Wire.CHAT, STREAM);
            Socket idle = new Socket(InetAddress.getLoopbackAddress(), server.port());
            Wire.await(
                    "both are there",
                    () -> server.running() == 1 && server.stats().connections() == 2);
            server.kill();
            assertThat(Wire.readToEnd(running).reset()).isTrue();
            assertThat(Wire.readToEnd(idle).reset()).isTrue();
            assertThatThrownBy(() -> connect(server)).isInstanceOf(ConnectException.class);
            Wire.await("it is recorded", () -> server.requests().get(0).outcome() == Outcome.KILLED);
        }
    }

    @Test
    void abortsWhatRunsWhenTerminatedWithoutATimeout() throws Exception {
        try (VllmStandIn server =
                VllmStandIn.builder().capacity(2).tokensPerSecond(CRAWL).start()) {
            List<Socket> sockets = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                sockets.add(Wire.open(server, Wire.CHAT, i == 1 ? Wire.chat("hello", "") : STREAM));
            }
            Wire.await("all are in", () -> server.running() == 2 && server.waiting() == 1);
            server.terminate().get(20, TimeUnit.SECONDS);
            for (int i = 0; i < 3; i++) {
                Raw raw = Wire.readToEnd(sockets.get(i));
                assertThat(raw.reset()).isFalse();
                assertThat(raw.text()).contains("\"finish_reason\":\"abort\"");
                assertThat(raw.text().contains("[DONE]")).isEqualTo(i != 1);
            }
            assertThat(server.requests()).allMatch(request -> request.outcome() == Outcome.KILLED);
            assertThatThrownBy(() -> connect(server)).isInstanceOf(ConnectException.class);
        }
    }

    @Test
    void finishesWhatRunsAndRefusesTheRestWhenTerminatedWithATimeout() throws Exception {
        try (VllmStandIn server = VllmStandIn.builder()
                .tokensPerSecond(200)
                .timeToFirstToken(Duration.ofMillis(300))
                .shutdownTimeout(Duration.ofMinutes(5))
                .start()) {
            CompletableFuture<Events> running = CompletableFuture.supplyAsync(() -> {
                try {
                    return Wire.stream(server, Wire.CHAT, STREAM);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
            Wire.await("it runs", () -> server.running() == 1);
            CompletableFuture<Void> terminated = server.terminate();
            assertThatThrownBy(() -> connect(server)).isInstanceOf(ConnectException.class);
            Events events = running.get(30, TimeUnit.SECONDS);
            assertThat(events.finishReason()).isEqualTo("stop");
            terminated.get(20, TimeUnit.SECONDS);
            assertThat(server.stats().completed()).isEqualTo(1);
        }
    }

    @Test
    void abortsWhatIsLeftAtTheShutdownTimeout() throws Exception {
        try (VllmStandIn server = VllmStandIn.builder()
                .tokensPerSecond(CRAWL)
                .shutdownTimeout(Duration.ofMillis(50))
                .start()) {
            Socket socket = Wire.open(server, Wire.CHAT, STREAM);
            Wire.await("it runs", () -> server.running() == 1);
            server.terminate().get(20, TimeUnit.SECONDS);
            assertThat(Wire.readToEnd(socket).text()).contains("\"finish_reason\":\"abort\"", "[DONE]");
        }
    }

    @Test
    void leavesNoThreadBehindWhenClosedTwice() {
        VllmStandIn server = VllmStandIn.start();
        String name = "tuna-stand-in-" + server.port();
        assertThat(threads(name)).isEqualTo(1);
        server.close();
        server.close();
        Wire.await("the thread ended", () -> threads(name) == 0);
        assertThat(server.terminate()).isCompleted();
    }

    private static long threads(String name) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith(name))
                .count();
    }

    @Test
    @Tag("full")
    void carriesTwoThousandStreamsAtOnce() throws Exception {
        try (VllmStandIn server = VllmStandIn.builder()
                .capacity(4000)
                .keepRequests(10)
                .timeToFirstToken(Duration.ofSeconds(15))
                .tokensPerSecond(50)
                .start()) {
            List<Socket> sockets = new ArrayList<>();
            for (int i = 0; i < 2000; i++) {
                sockets.add(Wire.open(server, Wire.CHAT, STREAM));
            }
            Wire.await("all run", () -> server.running() == 2000);
            Wire.await(
                    "all are complete",
                    Duration.ofMinutes(3),
                    () -> server.stats().completed() == 2000);
            assertThat(server.requests()).hasSize(10);
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }
}
