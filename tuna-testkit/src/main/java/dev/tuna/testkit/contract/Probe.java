package dev.tuna.testkit.contract;

import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;

/** Asks a backend what a router would ask it. */
record Probe(HttpClient http, BackendAddress address, String model) {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    HttpResponse<String> health() {
        return send(request(address.healthPath(), address.credential()).GET());
    }

    HttpResponse<String> chat(Optional<Credential> credential) {
        String body = "{\"model\":\"" + model + "\",\"max_tokens\":4,"
                + "\"messages\":[{\"role\":\"user\",\"content\":\"Say hello.\"}]}";
        return send(request("/v1/chat/completions", credential)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body)));
    }

    private HttpRequest.Builder request(String path, Optional<Credential> credential) {
        String base = address.url().toString().replaceAll("/+$", "");
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(base + path)).timeout(TIMEOUT);
        credential.ifPresent(
                header -> request.header(header.header(), header.value().reveal()));
        return request;
    }

    private HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return http.send(request.build(), BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(address.url() + " does not answer", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while asking " + address.url(), e);
        }
    }
}
