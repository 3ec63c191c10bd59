package dev.tuna.router.proxy;

import static dev.tuna.router.proxy.Bench.chat;
import static dev.tuna.router.proxy.Bench.events;
import static dev.tuna.router.proxy.Bench.stream;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Secret;
import dev.tuna.api.Tier;
import dev.tuna.provider.support.tls.CertificateAuthority;
import dev.tuna.provider.support.tls.CertificateAuthority.ClientIdentity;
import dev.tuna.router.BackendFailure;
import dev.tuna.router.RouteBackend;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.BackendTls;
import dev.tuna.testkit.tls.TlsFront;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Backends that no public authority knows: both sides show certificates of the deployment's own. */
class BackendTlsTest {

    private static final Duration DAY = Duration.ofDays(1);

    private final CertificateAuthority authority = CertificateAuthority.create("tuna-1", Instant.now());
    private final ClientIdentity router = authority.client("router", Instant.now(), DAY);

    private static RouteBackend spot(TlsFront front, BackendTls tls) {
        return RouteBackend.of(
                "spot-1", Tier.SPOT, BackendAddress.of(front.uri()).withTls(tls));
    }

    private static TlsFront front(Bench bench, CertificateAuthority authority, String name) {
        VllmStandIn replica = bench.standIn();
        return bench.own(TlsFront.start(authority, name, replica.uri()));
    }

    @Test
    void bothSidesShowWhoTheyAreAndOneConnectionServesManyRequests() throws Exception {
        try (Bench bench = new Bench()) {
            TlsFront replica = front(bench, authority, "r-1.replica.tuna");
            bench.route(List.of(), List.of(spot(replica, router.to("r-1.replica.tuna"))));
            assertThat(bench.post(chat("hello", "")).statusCode()).isEqualTo(200);
            for (int i = 0; i < 20; i++) {
                assertThat(events(bench.post(stream("hello")).body())).last().isEqualTo("[DONE]");
            }
            // One for each event loop, and one now and then for the question how busy the engine is.
            assertThat(replica.handshakes()).isLessThan(10);
        }
    }

    @Test
    void onlyTheReplicaThatIsMeantAnswers() throws Exception {
        try (Bench bench = new Bench()) {
            TlsFront other = front(bench, authority, "r-2.replica.tuna");
            bench.route(List.of(), List.of(spot(other, router.to("r-1.replica.tuna"))));
            assertThat(bench.post(chat("hello", "")).statusCode()).isEqualTo(502);
            assertThat(bench.failures).containsOnly(BackendFailure.CONNECT);
        }
    }

    @Test
    void whoWasMadeByAnotherAuthorityIsNotBelieved() throws Exception {
        CertificateAuthority stranger = CertificateAuthority.create("tuna-1", Instant.now());
        try (Bench bench = new Bench()) {
            TlsFront strange = front(bench, stranger, "r-1.replica.tuna");
            ClientIdentity known = stranger.client("router", Instant.now(), DAY);
            BackendTls expectsOwn = new BackendTls(
                    "r-1.replica.tuna", authority.certificate(), known.certificate(), known.privateKey());
            bench.route(List.of(), List.of(spot(strange, expectsOwn)));
            assertThat(bench.post(chat("hello", "")).statusCode()).isEqualTo(502);
            assertThat(bench.failures).containsOnly(BackendFailure.CONNECT);
        }
    }

    @Test
    void anAddressThatBecomesAnotherReplicaSharesNothingWithTheFirst() throws Exception {
        try (Bench bench = new Bench()) {
            TlsFront replica = front(bench, authority, "r-2.replica.tuna");
            bench.route(List.of(), List.of(spot(replica, router.to("r-2.replica.tuna"))));
            assertThat(bench.post(chat("hello", "")).statusCode()).isEqualTo(200);
            bench.route(List.of(), List.of(spot(replica, router.to("r-3.replica.tuna"))));
            assertThat(bench.post(chat("hello", "")).statusCode()).isEqualTo(502);
        }
    }

    @Test
    void unusableCertificatesFailTheBackendAndAreNamedWithoutTheKey() throws Exception {
        String broken = "-----BEGIN PRIVATE KEY-----\ncGxhbnRlZA==\n-----END PRIVATE KEY-----\n";
        try (Bench bench = new Bench()) {
            TlsFront replica = front(bench, authority, "r-1.replica.tuna");
            BackendTls unusable = new BackendTls(
                    "r-1.replica.tuna", authority.certificate(), router.certificate(), Secret.of(broken));
            bench.route(List.of(), List.of(spot(replica, unusable)));
            assertThat(bench.post(chat("hello", "")).statusCode()).isEqualTo(502);
            assertThat(bench.failures).containsOnly(BackendFailure.CONNECT);
        }
    }

    @Test
    void replicasOfOneDeploymentShareAContextWhichGoesWithTheLast() throws Exception {
        BackendTlsContexts contexts = new BackendTlsContexts(Optional.empty());
        BackendTls first = router.to("r-1.replica.tuna");
        BackendTls second = router.to("r-2.replica.tuna");
        List<RouteBackend> replicas = List.of(first, second).stream()
                .map(tls -> RouteBackend.of(
                        tls.name(),
                        Tier.SPOT,
                        BackendAddress.of(URI.create("https://127.0.0.1:1")).withTls(tls)))
                .toList();
        contexts.prepare(Bench.route(List.of(), replicas, Bench.POLICY));
        assertThat(contexts.size()).isEqualTo(1);
        contexts.keep(Set.of(second));
        assertThat(contexts.size()).isEqualTo(1);
        contexts.keep(Set.of());
        assertThat(contexts.size()).isZero();
    }
}
