package dev.tuna.core.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Secret;
import dev.tuna.provider.support.tls.CertificateAuthority;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.UnservedAnswer;
import dev.tuna.testkit.tls.TlsFront;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorServer;
import java.net.http.HttpClient;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Readiness requests over real sockets. */
class HttpProberTest {

    private static final String MODELS = "{\"data\":[{\"id\":\"org/model\"}]}";

    private static Optional<String> probe(VendorServer backend, Credential credential) throws Exception {
        var address = new BackendAddress(backend.uri(), Optional.of(credential), "/health", Optional.empty(), 0);
        return new HttpProber(HttpClient.newHttpClient())
                .probe(address, "org/model", Duration.ofSeconds(20))
                .get(30, TimeUnit.SECONDS);
    }

    @Test
    @DisplayName("O-17, O-18: asks for the model and for a token, each with the header that the provider wants")
    void bringsTheCredentialOfTheProvider() throws Exception {
        try (VendorServer backend = VendorServer.start(request -> VendorAnswer.json(
                request.header("X-Vendor").filter("Api-Key k1"::equals).isPresent() ? 200 : 401, MODELS))) {
            assertThat(probe(backend, new Credential("X-Vendor", Secret.of("Api-Key k1"))))
                    .isEmpty();
            assertThat(backend.exchanges())
                    .extracting(exchange -> exchange.request().toString())
                    .containsExactly("GET /v1/models", "POST /v1/chat/completions");
            assertThat(backend.exchanges())
                    .noneMatch(exchange ->
                            exchange.request().header("Authorization").isPresent());
            assertThat(probe(backend, Credential.bearer(Secret.of("k1"))))
                    .hasValueSatisfying(
                            fault -> assertThat(fault).contains("401").doesNotContain("k1"));
        }
    }

    @Test
    @DisplayName("O-17: a server that answers is not ready while it serves another model")
    void aServerOfAnotherModelIsNotReady() throws Exception {
        try (VendorServer backend =
                VendorServer.start(request -> VendorAnswer.json(200, MODELS.replace("model", "other")))) {
            assertThat(probe(backend, Credential.bearer(Secret.of("k1"))))
                    .hasValueSatisfying(fault -> assertThat(fault).contains("org/model"));
        }
    }

    @Test
    @DisplayName("O-17: an answer of a cloud's front end is none of the server's, whatever its status")
    void aFrontEndIsNotReady() throws Exception {
        var answers = List.of(
                new UnservedAnswer(400, "no workers", Duration.ofSeconds(1)),
                new UnservedAnswer(200, "\"worker_error\"", Duration.ZERO));
        AtomicReference<VendorAnswer> chat = new AtomicReference<>(VendorAnswer.json(400, "no workers available"));
        try (VendorServer backend = VendorServer.start(
                request -> request.method().equals("GET") ? VendorAnswer.json(200, MODELS) : chat.get())) {
            var address = BackendAddress.of(backend.uri()).withUnserved(answers);
            var prober = new HttpProber(HttpClient.newHttpClient());
            Callable<Optional<String>> probe = () ->
                    prober.probe(address, "org/model", Duration.ofSeconds(20)).get(30, TimeUnit.SECONDS);
            assertThat(probe.call())
                    .hasValueSatisfying(fault -> assertThat(fault).contains("no server"));
            chat.set(VendorAnswer.json(200, "{\"error\":{\"type\":\"worker_error\"}}"));
            assertThat(probe.call())
                    .hasValueSatisfying(fault -> assertThat(fault).contains("no server"));
            chat.set(VendorAnswer.json(200, "{}"));
            assertThat(probe.call()).isEmpty();
        }
    }

    @Test
    @DisplayName(
            "O-17: an endpoint that says where its answer will be is asked there, with its credential; another server is not")
    void followsAFrontEndThatIsNotReadyYet() throws Exception {
        try (VendorServer backend = VendorServer.start(request -> {
            if (request.header("Authorization").isEmpty()) {
                return VendorAnswer.empty(401);
            }
            return switch (request.method() + " " + request.query()) {
                case "GET " -> VendorAnswer.empty(303).with("Location", "/v1/models?call=1");
                case "GET call=1" -> VendorAnswer.empty(303).with("Location", "/v1/models?call=2");
                case "POST " -> VendorAnswer.empty(303).with("Location", "/v1/chat/completions?call=2");
                default -> VendorAnswer.json(200, MODELS);
            };
        })) {
            assertThat(probe(backend, Credential.bearer(Secret.of("k1")))).isEmpty();
        }
        try (VendorServer backend = VendorServer.start(
                request -> VendorAnswer.empty(303).with("Location", "http://127.0.0.1:1/v1/models"))) {
            assertThat(probe(backend, Credential.bearer(Secret.of("k1"))))
                    .hasValueSatisfying(fault -> assertThat(fault).contains("303"));
        }
    }

    @Test
    @DisplayName("O-17: a replica that no public authority knows is asked over TLS, and by its own name")
    void aReplicaWithItsOwnAuthorityIsAskedByItsName() throws Exception {
        var authority = CertificateAuthority.create("tuna-1", Instant.now());
        var caller = authority.client("controller", Instant.now(), Duration.ofDays(1));
        try (VendorServer backend = VendorServer.start(request -> VendorAnswer.json(200, MODELS));
                TlsFront front = TlsFront.start(authority, "r-1.replica.tuna", backend.uri())) {
            AtomicLong nanos = new AtomicLong();
            var prober = new HttpProber(HttpClient.newHttpClient(), nanos::get);
            Function<String, Optional<String>> probe = name -> prober.probe(
                            BackendAddress.of(front.uri()).withTls(caller.to(name)),
                            "org/model",
                            Duration.ofSeconds(20))
                    .orTimeout(30, TimeUnit.SECONDS)
                    .join();
            assertThat(probe.apply("r-1.replica.tuna")).isEmpty();
            assertThat(prober.clients()).as("one that answers is asked no more").isZero();
            assertThat(probe.apply("r-2.replica.tuna"))
                    .hasValueSatisfying(fault -> assertThat(fault).contains("r-2.replica.tuna"));
            assertThat(backend.exchanges()).hasSize(2);
            assertThat(prober.clients()).as("one that will be asked again").isEqualTo(1);
            nanos.addAndGet(HttpProber.IDLE.toNanos());
            assertThat(prober.clients()).as("one that was given up").isZero();
        }
    }
}
