package dev.tuna.provider.cloudrun;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;

/** Whether this runs on a machine of Google's, and as whom. Thread-safe. */
final class MetadataServer {

    /** On a machine of Google's it answers at once; elsewhere nobody should have to wait for it. */
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private final HttpClient http;
    private final GoogleHosts hosts;
    private final CredentialSource environment;

    MetadataServer(HttpClient http, GoogleHosts hosts, CredentialSource environment) {
        this.http = http;
        this.hosts = hosts;
        this.environment = environment;
    }

    /** The machine's account; empty if there is no such server, or it must not be asked. */
    Optional<String> account() {
        if (environment
                .variable("NO_GCE_CHECK")
                .filter("true"::equalsIgnoreCase)
                .isPresent()) {
            return Optional.empty();
        }
        URI server = hosts.instead()
                .orElseGet(() -> URI.create(
                        "http://" + environment.variable("GCE_METADATA_HOST").orElse(GoogleHosts.METADATA)));
        HttpRequest request = HttpRequest.newBuilder(
                        server.resolve("/computeMetadata/v1/instance/service-accounts/default/email"))
                .header("Metadata-Flavor", "Google")
                .timeout(PATIENCE)
                .build();
        try {
            HttpResponse<String> answer = http.send(request, BodyHandlers.ofString());
            boolean isGoogle = answer.statusCode() == 200
                    && answer.headers().firstValue("Metadata-Flavor").isPresent();
            return isGoogle
                    ? Optional.of(answer.body().strip()).filter(email -> email.contains("@"))
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
