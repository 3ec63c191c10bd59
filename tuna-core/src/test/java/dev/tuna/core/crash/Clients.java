package dev.tuna.core.crash;

import dev.tuna.testkit.crash.Patience;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;

/** Clients that each hold a request open, on whatever endpoint there is, until they are sent home. */
final class Clients implements AutoCloseable {

    private final HttpClient http = HttpClient.newHttpClient();
    private final List<Thread> holding = new ArrayList<>();
    private volatile URI endpoint = URI.create("http://127.0.0.1:1");
    private volatile String key = "";

    /** Where the deployment is from now on. */
    void use(URI address, String apiKey) {
        endpoint = address;
        key = apiKey;
    }

    /** Another client comes. */
    void come() {
        var client = new Thread(this::hold, "crash-client");
        client.setDaemon(true);
        client.start();
        holding.add(client);
    }

    private void hold() {
        while (!Thread.currentThread().isInterrupted()) {
            try {
                int status = http.send(request(4000, true), HttpResponse.BodyHandlers.discarding())
                        .statusCode();
                if (status != 200) {
                    pauseOrLeave();
                }
            } catch (IOException e) {
                // Its controller was killed: there will be another one.
                pauseOrLeave();
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private static void pauseOrLeave() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** All clients hang up. */
    void leave() {
        holding.forEach(Thread::interrupt);
        holding.clear();
    }

    /** A short request. */
    int chat() throws IOException, InterruptedException {
        return http.send(request(1, false), HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    private HttpRequest request(int tokens, boolean stream) {
        return HttpRequest.newBuilder(endpoint.resolve("/v1/chat/completions"))
                .timeout(Patience.LIMIT)
                .header("Content-Type", "application/json")
                .header("Authorization", "Bearer " + key)
                .POST(HttpRequest.BodyPublishers.ofString(
                        "{\"model\":\"" + Scenario.MODEL + "\",\"ignore_eos\":true,\"max_tokens\":" + tokens
                                + ",\"stream\":" + stream + ",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"))
                .build();
    }

    @Override
    public void close() {
        leave();
    }
}
