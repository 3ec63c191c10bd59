package dev.tuna.router.parity;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.Secret;
import dev.tuna.api.Tier;
import dev.tuna.router.NamedKey;
import dev.tuna.router.Route;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RouteLoad;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RouterConfig;
import dev.tuna.router.RouterEngine;
import dev.tuna.router.RouterListener;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.testkit.vllm.VllmStandIn;
import dev.tuna.testkit.vllm.VllmStandInBuilder;
import java.io.IOException;
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
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A router with real backends behind it, used as its clients use it. */
final class ParityRig implements AutoCloseable {

    static final String MODEL = "stand-in/tiny";
    static final String KEY = "router-key";
    static final String ADMIN_KEY = "admin-key";
    static final String PROVIDER_TOKEN = "provider-token";
    static final String CHAT = "/v1/chat/completions";
    private static final ObjectMapper JSON = new ObjectMapper();

    final RouterEngine router;
    final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    final Queue<String> demands = new ConcurrentLinkedQueue<>();
    private final List<AutoCloseable> owned = new ArrayList<>();
    private RoutePolicy policy = RoutePolicy.DEFAULT;
    private List<RouteBackend> serverless = List.of();
    private List<RouteBackend> replicas = List.of();
    private int warming;

    ParityRig() {
        this(RouterConfig.builder());
    }

    ParityRig(RouterConfig.Builder config) {
        router = RouterEngine.builder()
                .config(config.port(0)
                        .ioThreads(2)
                        .adminKeys(List.of(NamedKey.of("ops", Secret.of(ADMIN_KEY))))
                        .build())
                .listener(new RouterListener() {
                    @Override
                    public void onDemand(String deployment) {
                        demands.add(deployment);
                    }
                })
                .start();
    }

    // --- what is behind it ---

    VllmStandIn standIn() {
        return standIn(VllmStandIn.builder());
    }

    VllmStandIn standIn(VllmStandInBuilder builder) {
        return own(builder.start());
    }

    <T extends AutoCloseable> T own(T closeable) {
        owned.add(closeable);
        return closeable;
    }

    ParityRig policy(RoutePolicy.Builder builder) {
        policy = builder.build();
        return put();
    }

    ParityRig spot(URI... urls) {
        return spot(0, urls);
    }

    /** Replicas that take so many requests at once each; 0 for any number. */
    ParityRig spot(int maxInFlight, URI... urls) {
        replicas = new ArrayList<>();
        for (URI url : urls) {
            BackendAddress address =
                    new BackendAddress(url, Optional.empty(), "/health", Optional.empty(), maxInFlight);
            replicas.add(RouteBackend.of("spot-" + (replicas.size() + 1), Tier.SPOT, address));
        }
        return put();
    }

    ParityRig serverless(URI... urls) {
        serverless = new ArrayList<>();
        for (URI url : urls) {
            BackendAddress address = new BackendAddress(
                    url, Optional.of(Credential.bearer(Secret.of(PROVIDER_TOKEN))), "/health", Optional.empty(), 0);
            serverless.add(RouteBackend.of("serverless-" + (serverless.size() + 1), Tier.SERVERLESS, address));
        }
        return put();
    }

    ParityRig warming(int replicasOnTheirWay) {
        warming = replicasOnTheirWay;
        return put();
    }

    ParityRig put() {
        router.put(new Route(
                "chat",
                List.of(MODEL),
                List.of(NamedKey.of("client", Secret.of(KEY))),
                false,
                serverless,
                replicas,
                warming,
                policy));
        return this;
    }

    // --- clients ---

    URI uri(String target) {
        return URI.create("http://127.0.0.1:" + router.address().getPort() + target);
    }

    static String chat(String more) {
        return "{\"model\":\"" + MODEL + "\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]" + more + "}";
    }

    static String stream() {
        return chat(",\"stream\":true,\"max_tokens\":8");
    }

    HttpRequest.Builder request(String target) {
        return HttpRequest.newBuilder(uri(target))
                .timeout(Duration.ofSeconds(60))
                .header("Content-Type", "application/json");
    }

    HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return http.send(request.build(), BodyHandlers.ofString());
        } catch (IOException e) {
            throw new AssertionError("the router did not answer", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    HttpResponse<String> post(String target, String body, String key) {
        return send(request(target).header("Authorization", "Bearer " + key).POST(BodyPublishers.ofString(body)));
    }

    /** One chat, as a client with a traffic key has it. */
    HttpResponse<String> ask(String more) {
        return post(CHAT, chat(more), KEY);
    }

    CompletableFuture<HttpResponse<String>> askLater(String body) {
        return http.sendAsync(
                request(CHAT)
                        .header("Authorization", "Bearer " + KEY)
                        .POST(BodyPublishers.ofString(body))
                        .build(),
                BodyHandlers.ofString());
    }

    HttpResponse<String> get(String target) {
        return send(HttpRequest.newBuilder(uri(target)).timeout(Duration.ofSeconds(60)));
    }

    /** The backend that an answer says it is from. */
    static String backend(HttpResponse<String> answer) {
        return answer.headers().firstValue("x-tuna-backend").orElse("none");
    }

    static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new AssertionError("not JSON: " + text, e);
        }
    }

    /** The code of an OpenAI error object; fails if the body is none. */
    static String errorCode(HttpResponse<String> answer) {
        JsonNode error = json(answer.body()).path("error");
        if (!error.path("message").isTextual() || !error.path("type").isTextual() || !error.has("param")) {
            throw new AssertionError("no OpenAI error object: " + answer.body());
        }
        return error.path("code").asText();
    }

    Socket socket() throws IOException {
        Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), router.address().getPort());
        socket.setSoTimeout(60_000);
        socket.setTcpNoDelay(true);
        return own(socket);
    }

    /** Bytes in, everything that comes back until the router closes; one byte is one character. */
    String exchange(String request) throws IOException {
        try (Socket socket = socket()) {
            write(socket, request);
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }

    static void write(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().flush();
    }

    /** A chat as bytes, with a key, closing the connection after it. */
    static String rawChat(String target, String body, String... fields) {
        StringBuilder head = new StringBuilder("POST " + target + " HTTP/1.1\r\nHost: tuna.example\r\n");
        head.append("Authorization: Bearer " + KEY + "\r\nContent-Type: application/json\r\nConnection: close\r\n");
        for (String field : fields) {
            head.append(field).append("\r\n");
        }
        return head + "Content-Length: " + body.length() + "\r\n\r\n" + body;
    }

    // --- what it counts ---

    RouteLoad load() {
        return router.load("chat").orElseThrow();
    }

    TrafficStats settled() {
        await(
                "everything has come to rest",
                () -> load().traffic().inFlight() == 0 && load().traffic().waiting() == 0);
        return load().traffic();
    }

    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("did not come true within a minute: " + what);
            }
            LockSupport.parkNanos(2_000_000);
        }
    }

    @Override
    public void close() {
        router.close();
        for (AutoCloseable closeable : owned) {
            try {
                closeable.close();
            } catch (Exception e) {
                throw new AssertionError("could not be closed: " + closeable, e);
            }
        }
    }
}
