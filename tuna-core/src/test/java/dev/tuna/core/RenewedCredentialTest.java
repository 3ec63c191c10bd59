package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent.Kind;
import dev.tuna.api.Secret;
import dev.tuna.core.control.ControlTimings;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.testkit.cloud.LocalCloud;
import dev.tuna.testkit.cloud.plugin.LocalProvider;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorRequest;
import dev.tuna.testkit.vendor.VendorServer;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A credential that lives for an hour is renewed by its plugin; whatever an observation says reaches the router. */
class RenewedCredentialTest {

    private static final String MODEL = "Qwen/Qwen3-0.6B";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Another address than the cloud's, anew with every look. */
    private static ServerlessProvider guarded(
            ServerlessProvider provider, BiFunction<BackendAddress, Integer, BackendAddress> guard) {
        return new ForwardingServerless(provider) {
            private int looks;

            @Override
            public ServerlessObservation observe(ResourceRef resource) {
                ServerlessObservation seen = super.observe(resource);
                looks++;
                return new ServerlessObservation(
                        seen.phase(),
                        seen.detail(),
                        seen.address().map(address -> guard.apply(address, looks)),
                        seen.containers(),
                        seen.containerTime(),
                        seen.usdPerHour());
            }
        };
    }

    private static BackendAddress with(BackendAddress address, URI url, Credential credential) {
        return new BackendAddress(
                url, Optional.of(credential), address.healthPath(), address.hardLimit(), address.maxInFlight());
    }

    @Test
    @DisplayName("P-32: for days the route carries the newest credential, and the endpoint is not tried anew for that")
    void theRouteCarriesTheNewestCredential() {
        try (Simulation world = new Simulation()) {
            long[] hour = new long[1];
            world.serverless = guarded(world.serverless, (address, look) -> {
                hour[0] = world.time.instant().getEpochSecond() / 3600;
                // The simulated cloud looks at the value, so the hour goes into the name.
                Secret key = address.credential().orElseThrow().value();
                return with(address, address.url(), new Credential("X-Hour-" + hour[0], key));
            });
            Deployment chat =
                    world.start().deploy(Simulation.chat().serverlessOnly(true).build());
            assertThat(world.until(() -> chat.ready().isDone())).isTrue();
            long ready = world.events.stream()
                    .filter(event -> event.kind() == Kind.BACKEND_READY)
                    .count();
            for (int passed = 0; passed < 48; passed++) {
                world.pass(Duration.ofMinutes(61));
                assertThat(world.gateway.route("chat").serverless())
                        .extracting(backend ->
                                backend.address().credential().orElseThrow().header())
                        .containsExactly("X-Hour-" + hour[0]);
            }
            assertThat(world.events.stream()
                            .filter(event -> event.kind() == Kind.BACKEND_READY)
                            .count())
                    .isEqualTo(ready);
            assertThat(chat.status().problems()).isEmpty();
            assertThat(chat.status().backends()).allMatch(backend -> backend.phase() == BackendPhase.READY);
        }
    }

    @Test
    @DisplayName("P-32: requests carry the new token as soon as an observation tells it")
    void requestsCarryTheNewToken(@TempDir Path directory) throws Exception {
        Set<String> good = ConcurrentHashMap.newKeySet();
        Set<String> used = ConcurrentHashMap.newKeySet();
        String[] newest = {"first"};
        good.add("first");
        try (VllmStandIn engine = VllmStandIn.builder().model(MODEL).start();
                VendorServer front = VendorServer.start(request -> answer(request, engine.uri(), good, used));
                LocalCloud cloud = LocalCloud.builder().startInProcess();
                Tuna tuna = Tuna.builder()
                        .stateDirectory(directory)
                        .listen("127.0.0.1", 0)
                        .timings(ControlTimings.DEFAULT.toBuilder()
                                .observeInterval(Duration.ofMillis(50))
                                .busyInterval(Duration.ofMillis(50))
                                .build())
                        .providerSettings("local", cloud.settings())
                        .provider(guarded(
                                new LocalProvider(),
                                (address, look) -> with(address, front.uri(), Credential.bearer(Secret.of(newest[0])))))
                        .start()) {
            Deployment chat = tuna.deploy(DeployRequest.builder(MODEL, "L4")
                    .serviceName("chat")
                    .serverlessProviders("local")
                    .serverlessOnly(true)
                    .build());
            assertThat(chat(chat).statusCode()).isEqualTo(200);
            for (String next : new String[] {"second", "third"}) {
                good.add(next);
                newest[0] = next;
                until("the token '" + next + "' is used", () -> {
                    assertThat(chat(chat).statusCode()).isEqualTo(200);
                    return used.contains(next);
                });
                good.retainAll(Set.of(next));
                assertThat(chat(chat).statusCode()).isEqualTo(200);
            }
            assertThat(chat.status().traffic().failedOver()).isZero();
        }
    }

    private static VendorAnswer answer(VendorRequest request, URI engine, Set<String> good, Set<String> used) {
        String token = request.bearer().orElse("");
        used.add(token);
        return good.contains(token)
                ? VendorAnswer.relayed(URI.create(engine + request.path()))
                : VendorAnswer.of(401, "text/html", "<html>401</html>");
    }

    private static HttpResponse<String> chat(Deployment deployment) {
        try {
            return HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create(deployment.endpoint() + "/chat/completions"))
                                    .timeout(PATIENCE)
                                    .header("Content-Type", "application/json")
                                    .header(
                                            "Authorization",
                                            "Bearer "
                                                    + deployment
                                                            .apiKey()
                                                            .orElseThrow()
                                                            .reveal())
                                    .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"" + MODEL
                                            + "\",\"max_tokens\":4,\"messages\":"
                                            + "[{\"role\":\"user\",\"content\":\"Hi\"}]}"))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException("the endpoint does not answer", e);
        }
    }

    private static void until(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }
}
