package dev.tuna.router.proxy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.Tier;
import dev.tuna.router.BackendFailure;
import dev.tuna.router.Route;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RouteLoad;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RouterConfig;
import dev.tuna.router.RouterEngine;
import dev.tuna.router.RouterListener;
import dev.tuna.spi.BackendAddress;
import dev.tuna.testkit.vllm.VllmStandIn;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/** A router, its clients and what they saw; closed as one. */
final class Bench implements AutoCloseable {

    static final String MODEL = "stand-in/tiny";
    static final String CHAT = "/v1/chat/completions";
    static final ObjectMapper JSON = new ObjectMapper();

    /** Has no limit that a slow machine could trip over; what is about limits passes {@linkplain #passing time} itself. */
    static final RoutePolicy POLICY = RoutePolicy.builder()
            .firstTokenTimeout(Duration.ofMinutes(5))
            .idleTimeout(Duration.ofMinutes(5))
            .heartbeat(Duration.ZERO)
            .build();

    private static final HttpClient CLIENT = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();

    final Queue<String> demands = new ConcurrentLinkedQueue<>();
    final Queue<BackendFailure> failures = new ConcurrentLinkedQueue<>();
    final RouterEngine router;
    private final List<AutoCloseable> owned = new ArrayList<>();

    Bench() {
        this(RouterConfig.builder().port(0).ioThreads(2).build());
    }

    Bench(RouterConfig config) {
        this(config, System::nanoTime);
    }

    /** Time passes as told. */
    Bench(LongSupplier ticker) {
        this(RouterConfig.builder().port(0).ioThreads(2).build(), ticker);
    }

    Bench(RouterConfig config, LongSupplier ticker) {
        this(config, ticker, new SimpleMeterRegistry());
    }

    Bench(RouterConfig config, LongSupplier ticker, MeterRegistry registry) {
        router = RouterEngine.builder()
                .config(config)
                .ticker(ticker)
                .meterRegistry(registry)
                .listener(new RouterListener() {
                    @Override
                    public void onDemand(String deployment) {
                        demands.add(deployment);
                    }

                    @Override
                    public void onBackendFailure(
                            String deployment, String backend, BackendFailure failure, String detail) {
                        failures.add(failure);
                    }
                })
                .start();
    }

    <T extends AutoCloseable> T own(T closeable) {
        owned.add(closeable);
        return closeable;
    }

    VllmStandIn standIn() {
        return own(VllmStandIn.start());
    }

    static RouteBackend spot(String id, URI url) {
        return RouteBackend.of(id, Tier.SPOT, BackendAddress.of(url));
    }

    static RouteBackend serverless(String id, URI url) {
        return RouteBackend.of(id, Tier.SERVERLESS, BackendAddress.of(url));
    }

    static Route route(List<RouteBackend> serverless, List<RouteBackend> replicas, RoutePolicy policy) {
        return new Route("tuna-1", List.of(MODEL), List.of(), true, serverless, replicas, 0, policy);
    }

    void route(List<RouteBackend> serverless, List<RouteBackend> replicas) {
        router.put(route(serverless, replicas, POLICY));
    }

    int port() {
        return router.address().getPort();
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port() + path);
    }

    RouteLoad load() {
        return router.load("tuna-1").orElseThrow();
    }

    TrafficStats traffic() {
        return load().traffic();
    }

    /** Waits until nothing is being served, so that counts are final. */
    TrafficStats settled() {
        await(
                "all requests settled",
                () -> traffic().inFlight() == 0 && traffic().waiting() == 0);
        return traffic();
    }

    static String chat(String question, String more) {
        return "{\"model\":\"" + MODEL + "\",\"messages\":[{\"role\":\"user\",\"content\":\"" + question + "\"}]" + more
                + "}";
    }

    static String stream(String question) {
        return chat(question, ",\"stream\":true,\"max_tokens\":8");
    }

    HttpResponse<String> get(String path) throws Exception {
        return CLIENT.send(HttpRequest.newBuilder(uri(path)).build(), BodyHandlers.ofString());
    }

    HttpResponse<String> post(String body, String... headers) throws Exception {
        return CLIENT.send(request(CHAT, body, headers), BodyHandlers.ofString());
    }

    HttpRequest request(String path, String body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path))
                .timeout(Duration.ofSeconds(60))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return request.build();
    }

    static HttpClient client() {
        return CLIENT;
    }

    static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (IOException e) {
            throw new AssertionError("not JSON: " + text, e);
        }
    }

    /** The events of a stream, comments left out. Fails on anything that is not a whole event. */
    static List<String> events(String body) {
        List<String> events = new ArrayList<>();
        String rest = body;
        for (int end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
            String event = rest.substring(0, end);
            rest = rest.substring(end + 2);
            if (event.startsWith("data: ") && event.indexOf('\n') < 0) {
                events.add(event.substring(6));
            } else if (!event.startsWith(":")) {
                throw new AssertionError("not a whole event: '" + event + "' in:\n" + body);
            }
        }
        if (!rest.isEmpty()) {
            throw new AssertionError("half an event: '" + rest + "' in:\n" + body);
        }
        return events;
    }

    static String text(String body) {
        StringBuilder text = new StringBuilder();
        for (String event : events(body)) {
            if (event.startsWith("{")) {
                text.append(json(event)
                        .path("choices")
                        .path(0)
                        .path("delta")
                        .path("content")
                        .asText(""));
            }
        }
        return text.toString();
    }

    Socket socket() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port());
        socket.setSoTimeout(60_000);
        return socket;
    }

    static String raw(String body, String... headers) {
        StringBuilder head =
                new StringBuilder("POST " + CHAT + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n");
        for (String header : headers) {
            head.append(header).append("\r\n");
        }
        return head + "Content-Length: " + body.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n" + body;
    }

    static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
        socket.getOutputStream().flush();
    }

    /** Everything up to the connection's end. */
    static String readAll(Socket socket) {
        ByteArrayOutputStream received = new ByteArrayOutputStream();
        try {
            InputStream in = socket.getInputStream();
            for (int value = in.read(); value >= 0; value = in.read()) {
                received.write(value);
            }
        } catch (IOException e) {
            received.writeBytes("<reset>".getBytes(StandardCharsets.US_ASCII));
        }
        return received.toString(StandardCharsets.UTF_8);
    }

    /** Up to and including a text. */
    static String readUntil(Socket socket, String mark) throws IOException {
        ByteArrayOutputStream received = new ByteArrayOutputStream();
        InputStream in = socket.getInputStream();
        for (int value = in.read(); value >= 0; value = in.read()) {
            received.write(value);
            if (value == mark.charAt(mark.length() - 1)
                    && received.toString(StandardCharsets.UTF_8).endsWith(mark)) {
                return received.toString(StandardCharsets.UTF_8);
            }
        }
        throw new AssertionError("ended before '" + mark + "': " + received.toString(StandardCharsets.UTF_8));
    }

    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("did not happen within a minute: " + what);
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** Waits until a stream's first token has been passed on. */
    void awaitFirstToken() {
        await(
                "the first token",
                () -> router.metrics()
                        .lines()
                        .anyMatch(line -> line.startsWith("gen_ai_server_time_to_first_token_seconds_count{")
                                && !line.endsWith(" 0")));
    }

    /** Waits while time passes, for what comes after it has been quiet for some. */
    static void passing(AtomicLong time, Duration step, String what, BooleanSupplier condition) {
        await(what, () -> {
            time.addAndGet(step.toNanos());
            return condition.getAsBoolean();
        });
    }

    @Override
    public void close() {
        router.close();
        for (AutoCloseable closeable : owned) {
            try {
                closeable.close();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }
}
