package dev.tuna.router.parity;

import static dev.tuna.router.parity.ParityRig.CHAT;
import static dev.tuna.router.parity.ParityRig.backend;
import static dev.tuna.router.parity.ParityRig.chat;
import static dev.tuna.router.parity.ParityRig.json;
import static dev.tuna.router.parity.ParityRig.rawChat;
import static dev.tuna.router.parity.ParityRig.stream;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import dev.tuna.router.RoutePolicy;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.Fault.Moment;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Streaming, load and statistics. */
class StreamsParityTest {

    private static final String HEAD =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

    private final ParityRig rig = new ParityRig();
    private final VllmStandIn cloud = rig.standIn();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    @DisplayName("R-35, experiment 6: each of 40 events reaches the client before the next one is made")
    void eventByEvent() throws Exception {
        Semaphore seen = new Semaphore(0);
        RawBackend spot = rig.own(new RawBackend(connection -> {
            ParityRig.write(connection, HEAD);
            for (int i = 0; i < 40; i++) {
                ParityRig.write(connection, token(i));
                if (!seen.tryAcquire(60, TimeUnit.SECONDS)) {
                    return;
                }
            }
            ParityRig.write(connection, finish() + "data: [DONE]\n\n");
        }));
        rig.spot(spot.uri());
        try (Socket client = rig.socket()) {
            ParityRig.write(client, rawChat(CHAT, stream()));
            for (int i = 0; i < 40; i++) {
                readUntil(client, "token-" + i + "\"");
                seen.release();
            }
            readUntil(client, "[DONE]");
        }
    }

    @Test
    @DisplayName("R-33: a stream that broke goes on elsewhere, and the client gets the unbroken one")
    void continuedStream() throws Exception {
        VllmStandIn spot = rig.standIn();
        spot.inject(Fault.eof(Moment.atToken(5)));
        rig.spot(spot.uri()).serverless(cloud.uri());

        HttpResponse<String> answer = rig.askLater(stream()).join();

        List<String> events =
                answer.body().lines().filter(line -> line.startsWith("data: ")).toList();
        assertThat(texts(events)).isEqualTo(texts(directly(cloud)));
        assertThat(answer.body()).endsWith("data: [DONE]\n\n").doesNotContain("\"error\"", "token_ids");
        TrafficStats traffic = rig.settled();
        assertThat(traffic.succeeded()).isEqualTo(1);
        assertThat(traffic.failedOver()).isEqualTo(1);
        assertThat(rig.load().backend("spot-1").failures()).isEqualTo(1);
    }

    @Test
    @DisplayName("R-33, experiment 7: tokens that came are delivered, and a stream that broke does not look complete")
    void brokenStream() throws Exception {
        VllmStandIn spot = rig.standIn();
        spot.inject(Fault.eof(Moment.atToken(5)));
        rig.spot(spot.uri()); // and nobody who could go on

        HttpResponse<String> answer = rig.askLater(stream()).join();

        List<String> events =
                answer.body().lines().filter(line -> line.startsWith("data: ")).toList();
        assertThat(texts(events)).isNotEmpty().isEqualTo(texts(directly(spot)));
        assertThat(json(events.get(events.size() - 1).substring(6))
                        .path("error")
                        .path("code")
                        .asText())
                .isEqualTo("stream_broken");
        assertThat(answer.body())
                .doesNotContain("[DONE]", "\"finish_reason\":\"stop\"", "\"finish_reason\":\"length\"");
        TrafficStats traffic = rig.settled();
        assertThat(traffic.failed()).isEqualTo(1);
        assertThat(rig.load().backend("spot-1").failures()).isEqualTo(1);
    }

    @Test
    @DisplayName("R-36 R-39, experiment 8: a permit is held to the end of the stream")
    void permits() throws Exception {
        VllmStandIn spot = rig.standIn(VllmStandIn.builder().capacity(300));
        spot.inject(Fault.stall(Moment.atToken(3)));
        rig.policy(RoutePolicy.builder().maxInFlight(100)).spot(spot.uri());
        List<Socket> streams = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            Socket client = rig.socket();
            ParityRig.write(client, rawChat(CHAT, stream()));
            streams.add(client);
        }
        for (Socket client : streams) {
            readUntil(client, "\"content\"");
        }

        for (int i = 0; i < 90; i++) {
            assertThat(rig.exchange(rawChat(CHAT, stream()))).startsWith("HTTP/1.1 429 ");
        }
        assertThat(rig.load().traffic().rejected()).as("counted").isEqualTo(90);
        assertThat(rig.load().traffic().inFlight()).isEqualTo(100);

        spot.clearFaults();
        streams.get(0).close();
        ParityRig.await("its permit is free", () -> rig.load().traffic().inFlight() == 99);
        assertThat(rig.ask("").statusCode()).isEqualTo(200);
    }

    @Test
    @DisplayName("R-37, experiment 10: clients that leave while waiting free their place and the GPU")
    void abandonedRequests() throws Exception {
        VllmStandIn spot = rig.standIn();
        spot.inject(Fault.stall(Moment.BEFORE_HEADERS));
        rig.policy(RoutePolicy.builder().maxInFlight(100)).spot(spot.uri());
        List<Socket> clients = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            Socket client = rig.socket();
            ParityRig.write(client, rawChat(CHAT, chat("")));
            clients.add(client);
        }
        ParityRig.await("all are being served", () -> spot.stats().modelRequests() == 100);
        spot.clearFaults();
        for (Socket client : clients) {
            client.close();
        }

        ParityRig.await("the places are free", () -> rig.load().traffic().inFlight() == 0);
        ParityRig.await(
                "the backend's connections are closed", () -> spot.stats().connections() == 0);
        assertThat(rig.ask("").statusCode()).isEqualTo(200);
        assertThat(rig.settled().failed()).as("nobody failed").isZero();
    }

    @Test
    @DisplayName("R-38 twelve requests are twelve requests, however often they are tried")
    void countsClientsRequests() {
        VllmStandIn spot = rig.standIn();
        spot.inject(Fault.status(500).times(2));
        rig.spot(spot.uri()).serverless(cloud.uri());
        for (int i = 0; i < 12; i++) {
            assertThat(rig.ask("").statusCode()).isEqualTo(200);
        }

        TrafficStats traffic = rig.settled();
        assertThat(traffic.requests()).isEqualTo(12);
        assertThat(traffic.succeeded()).isEqualTo(12);
        assertThat(traffic.failedOver()).isEqualTo(2);
        assertThat(traffic.byTier()).containsEntry(Tier.SPOT, 10L).containsEntry(Tier.SERVERLESS, 2L);
        assertThat(rig.load().backend("spot-1").attempts()).isEqualTo(12);
    }

    @Test
    @DisplayName("R-40 R-41 the router claims no GPU time: durations of requests that overlap are none")
    void noInventedGpuSeconds() {
        rig.spot(rig.standIn().uri());
        rig.ask("");

        assertThat(rig.get("/router/health").body()).doesNotContain("gpu_seconds", "ready_seconds");
        assertThat(rig.get("/router/metrics").body()).doesNotContain("gpu_seconds", "ready_seconds");
    }

    @Test
    @DisplayName("R-42 counts outlive every change of the route's backends")
    void countsSurviveChanges() {
        VllmStandIn spot = rig.standIn();
        rig.spot(spot.uri());
        rig.ask("");
        rig.spot().serverless(cloud.uri());
        rig.ask("");
        rig.spot(spot.uri());

        TrafficStats traffic = rig.settled();
        assertThat(traffic.requests()).isEqualTo(2);
        assertThat(traffic.byTier()).containsEntry(Tier.SPOT, 1L).containsEntry(Tier.SERVERLESS, 1L);
    }

    @Test
    @DisplayName("R-43 metrics as Prometheus text; every answer has a request id")
    void metrics() {
        rig.spot(rig.standIn().uri()).serverless(cloud.uri());
        HttpResponse<String> answer = rig.ask("");
        rig.settled();
        HttpResponse<String> metrics = rig.get("/router/metrics");

        assertThat(answer.headers().firstValue("x-request-id")).isPresent();
        assertThat(metrics.headers().firstValue("Content-Type"))
                .hasValueSatisfying(type -> assertThat(type).startsWith("text/plain; version=0.0.4"));
        assertThat(metrics.body())
                .contains("tuna_router_requests_total{deployment=\"chat\",outcome=\"succeeded\"} 1\n")
                .contains("tuna_router_spot_state{deployment=\"chat\",state=\"ready\"} 1\n");
        assertThat(metrics.body().lines().filter(line -> !line.startsWith("#")))
                .allMatch(line -> line.matches("[a-zA-Z_:][a-zA-Z0-9_:]*(\\{.*\\})? \\S+"));
    }

    @Test
    @DisplayName("R-44 two routers in one process know nothing of each other")
    void twoRouters() throws Exception {
        VllmStandIn spot = rig.standIn();
        rig.spot(spot.uri());
        try (ParityRig other = new ParityRig()) {
            other.serverless(cloud.uri());
            assertThat(backend(rig.ask(""))).isEqualTo("spot-1");
            assertThat(backend(other.ask(""))).isEqualTo("serverless-1");
            assertThat(other.settled().byTier()).containsEntry(Tier.SPOT, 0L);
        }
        assertThat(rig.ask("").statusCode()).isEqualTo(200);
        assertThat(rig.settled().requests()).isEqualTo(2);
        assertThat(rig.load().spotState()).isEqualTo(SpotState.READY);
    }

    /** What the backend itself sends before it breaks. */
    private static List<String> directly(VllmStandIn spot) throws IOException {
        String request = rawChat(CHAT, stream());
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), spot.port())) {
            ParityRig.write(socket, request);
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> line.startsWith("data: "))
                    .toList();
        }
    }

    /** What there is to read; chunks in the middle of a character have nothing. */
    private static List<String> texts(List<String> events) {
        return events.stream()
                .filter(event -> event.startsWith("data: {"))
                .map(event -> json(event.substring("data: ".length())))
                .filter(event -> event.has("choices"))
                .map(event -> event.path("choices")
                        .path(0)
                        .path("delta")
                        .path("content")
                        .asText())
                .filter(text -> !text.isEmpty())
                .toList();
    }

    private static String token(int i) {
        return "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"token-" + i
                + "\"},\"finish_reason\":null}]}\n\n";
    }

    private static String finish() {
        return "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    }

    private static String readUntil(Socket socket, String mark) throws IOException {
        StringBuilder read = new StringBuilder();
        InputStream in = socket.getInputStream();
        while (read.indexOf(mark) < 0) {
            int value = in.read();
            if (value < 0) {
                throw new AssertionError("ended before '" + mark + "': " + read);
            }
            read.append((char) value);
        }
        return read.toString();
    }
}
