package dev.tuna.provider.cloudrun;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.cloudrun.CloudRunStandIn;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A stand-in, and a provider opened on it. Closes both. */
final class World implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    final CloudRunStandIn vendor;
    final ServerlessCloud cloud;
    private final ProviderContext context;
    private final HttpClient http = HttpClient.newHttpClient();

    World(CloudRunStandIn vendor, ProviderContext context) {
        this.vendor = vendor;
        this.context = context;
        this.cloud = open();
    }

    /** Another process of the same installation. */
    CloudRunCloud open() {
        return new CloudRunCloud(context, variable -> null);
    }

    static World of(CloudRunStandIn.Builder builder) {
        CloudRunStandIn vendor = builder.start();
        return new World(vendor, Contexts.of(vendor));
    }

    static World create() {
        return of(CloudRunStandIn.builder());
    }

    ResourceRef begin(ServerlessSpec spec) {
        return cloud.begin(cloud.plan(spec));
    }

    ServerlessObservation until(ResourceRef resource, Predicate<ServerlessObservation> condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            ServerlessObservation seen = cloud.observe(resource);
            if (condition.test(seen)) {
                return seen;
            }
            assertThat(System.nanoTime()).as("waiting, and now it is %s", seen).isLessThan(deadline);
            try {
                TimeUnit.MILLISECONDS.sleep(10);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    ServerlessObservation until(ResourceRef resource, BackendPhase phase) {
        return until(resource, seen -> seen.phase() == phase);
    }

    ServerlessObservation ready(ServerlessSpec spec) {
        return until(begin(spec), BackendPhase.READY);
    }

    /** The status of a chat request. */
    int chat(BackendAddress address, String model) {
        return chat(address.url(), address.credential(), model);
    }

    int chat(URI url, Optional<Credential> credential, String model) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + "/v1/chat/completions"))
                .header("Content-Type", "application/json")
                .timeout(PATIENCE)
                .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"" + model
                        + "\",\"max_tokens\":4,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"));
        credential.ifPresent(
                header -> request.header(header.header(), header.value().reveal()));
        try {
            return http.send(request.build(), HttpResponse.BodyHandlers.ofString())
                    .statusCode();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        cloud.close();
        vendor.close();
        try {
            Wire.checkConformance(vendor);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
