package dev.tuna.testkit.vllm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A plain client: whole answers by the JDK's HTTP client, broken ones by bare sockets. */
final class Wire {

    static final ObjectMapper JSON = new ObjectMapper();
    static final String CHAT = "/v1/chat/completions";
    static final String COMPLETIONS = "/v1/completions";

    private static final HttpClient CLIENT = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();

    private Wire() {}

    static HttpResponse<String> get(VllmStandIn server, String path) throws Exception {
        return CLIENT.send(request(server, path).GET().build(), BodyHandlers.ofString());
    }

    static HttpResponse<String> post(VllmStandIn server, String path, String body) throws Exception {
        return CLIENT.send(
                request(server, path)
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(body))
                        .build(),
                BodyHandlers.ofString());
    }

    static HttpResponse<byte[]> postForBytes(VllmStandIn server, String path, String body) throws Exception {
        return CLIENT.send(
                request(server, path)
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(body))
                        .build(),
                BodyHandlers.ofByteArray());
    }

    static HttpResponse<String> send(HttpRequest request) throws Exception {
        return CLIENT.send(request, BodyHandlers.ofString());
    }

    static HttpRequest.Builder request(VllmStandIn server, String path) {
        return HttpRequest.newBuilder(URI.create(server.uri() + path)).timeout(Duration.ofSeconds(30));
    }

    static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (IOException e) {
            throw new AssertionError("not JSON: " + text, e);
        }
    }

    static String chat(String question, String more) {
        return "{\"model\":\"stand-in/tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"" + question + "\"}]" + more
                + "}";
    }

    /** What came of a stream: its events, and whether it was ended properly. */
    record Events(List<JsonNode> chunks, boolean done) {

        String text() {
            StringBuilder text = new StringBuilder();
            for (JsonNode chunk : chunks) {
                for (JsonNode choice : chunk.path("choices")) {
                    text.append(choice.path("delta").path("content").asText(""));
                    text.append(choice.path("text").asText(""));
                }
            }
            return text.toString();
        }

        List<Integer> ids() {
            List<Integer> ids = new ArrayList<>();
            for (JsonNode chunk : chunks) {
                for (JsonNode choice : chunk.path("choices")) {
                    choice.path("token_ids").forEach(id -> ids.add(id.intValue()));
                }
            }
            return ids;
        }

        String finishReason() {
            String reason = "";
            for (JsonNode chunk : chunks) {
                reason = chunk.path("choices").path(0).path("finish_reason").asText(reason);
            }
            return reason.equals("null") ? "" : reason;
        }
    }

    /** Reads the body of a stream strictly: every event is one data line and one blank line, nothing else. */
    static Events events(String body) {
        List<JsonNode> chunks = new ArrayList<>();
        boolean done = false;
        String rest = body;
        for (int end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
            String event = rest.substring(0, end);
            rest = rest.substring(end + 2);
            if (event.startsWith(":")) {
                continue;
            }
            if (done || !event.startsWith("data: ") || event.indexOf('\n') >= 0) {
                throw new AssertionError("not a well-formed event: " + event);
            }
            if (event.equals("data: [DONE]")) {
                done = true;
            } else {
                chunks.add(json(event.substring(6)));
            }
        }
        return new Events(chunks, done);
    }

    static Events stream(VllmStandIn server, String path, String body) throws Exception {
        HttpResponse<String> response = post(server, path, body);
        if (response.statusCode() != 200) {
            throw new AssertionError(response.statusCode() + " " + response.body());
        }
        return events(response.body());
    }

    /** A bare socket that sends one POST. */
    static Socket open(VllmStandIn server, String path, String body) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        socket.setSoTimeout(20_000);
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        String head = "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
                + bytes.length + "\r\n\r\n";
        socket.getOutputStream().write(head.getBytes(StandardCharsets.UTF_8));
        socket.getOutputStream().write(bytes);
        return socket;
    }

    /** How a raw answer ended. */
    record Raw(String text, boolean reset) {

        /** The events received before the end, chunk framing removed. */
        Events events() {
            StringBuilder body = new StringBuilder();
            for (String line :
                    text.substring(Math.max(0, text.indexOf("\r\n\r\n"))).split("\r\n")) {
                if (line.startsWith("data: ")) {
                    body.append(line.stripTrailing()).append("\n\n");
                }
            }
            return Wire.events(body.toString());
        }
    }

    static Raw readToEnd(Socket socket) {
        ByteArrayOutputStream received = new ByteArrayOutputStream();
        boolean reset = false;
        try (socket) {
            InputStream in = socket.getInputStream();
            for (int value = in.read(); value >= 0; value = in.read()) {
                received.write(value);
            }
        } catch (IOException e) {
            reset = true;
        }
        return new Raw(received.toString(StandardCharsets.UTF_8), reset);
    }

    static void await(String what, BooleanSupplier condition) {
        await(what, Duration.ofSeconds(20), condition);
    }

    static void await(String what, Duration atMost, BooleanSupplier condition) {
        long deadline = System.nanoTime() + atMost.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("did not happen within " + atMost + ": " + what);
            }
            LockSupport.parkNanos(500_000);
        }
    }
}
