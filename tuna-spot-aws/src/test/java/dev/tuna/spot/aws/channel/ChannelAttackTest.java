package dev.tuna.spot.aws.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.tls.CertificateAuthority;
import dev.tuna.spi.BackendTls;
import dev.tuna.testkit.contract.InMemorySecretStore;
import dev.tuna.testkit.machine.MachineSandbox;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whoever is not the host gets nothing from a replica, and whatever is not the replica gets nothing from the host. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ChannelAttackTest {

    private static final int PATIENCE_MILLIS = 60_000;
    private static final String LOOK = "GET /agent/look HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    private Path root;
    private Rig rig;
    private final List<String> heard = new ArrayList<>();

    @BeforeAll
    void boot(@TempDir Path directory) throws Exception {
        root = directory;
        rig = new Rig(root.resolve("victim"));
        rig.ready();
    }

    @BeforeEach
    void earlierRefusalsDoNotCount() throws Exception {
        rig.mark();
    }

    @AfterAll
    void end() {
        if (rig != null) {
            rig.close();
        }
    }

    @AfterEach
    void nothingLeaksAndTheReplicaServesOn() throws Exception {
        for (Secret secret : List.of(Rig.ENGINE_KEY, Rig.HUB_TOKEN, rig.token)) {
            assertThat(heard).noneMatch(text -> text.contains(secret.reveal()));
        }
        assertThat(rig.leaks()).isEmpty();
        rig.ready();
    }

    private static SSLContext anonymous() throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new Gullible()}, null);
        return context;
    }

    private SSLContext shows(String certificate, Secret key) {
        return new BackendTls("any", rig.trust.certificate(), certificate, key).sslContext(new Gullible());
    }

    private SSLContext controller() {
        return rig.trust.controller(Rig.REPLICA).sslContext();
    }

    private SSLContext router() {
        return rig.trust.router(Rig.REPLICA).sslContext();
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(
                rig.machine.address().getAddress(), rig.machine.address().getPort());
        socket.setSoTimeout(PATIENCE_MILLIS);
        return socket;
    }

    private Socket connect(SSLContext context) throws IOException {
        Socket socket = context.getSocketFactory()
                .createSocket(
                        rig.machine.address().getAddress(),
                        rig.machine.address().getPort());
        socket.setSoTimeout(PATIENCE_MILLIS);
        return socket;
    }

    /** What comes back until the other side hangs up. */
    private String ask(SSLContext context, String request) throws IOException {
        try (Socket socket = connect(context)) {
            return ask(socket, request);
        }
    }

    private String ask(Socket socket, String request) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        try {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            socket.getOutputStream().flush();
            InputStream in = socket.getInputStream();
            for (int next = in.read(); next >= 0; next = in.read()) {
                all.write(next);
            }
        } catch (SocketTimeoutException e) {
            throw new AssertionError("it does not hang up, after " + all, e);
        } catch (IOException e) {
            // Hung up.
        }
        String text = all.toString(StandardCharsets.ISO_8859_1);
        heard.add(text);
        return text;
    }

    @Test
    void plainHttpGetsNoAnswer() throws Exception {
        try (Socket plain = connect()) {
            assertThat(ask(plain, LOOK)).doesNotContain("HTTP/");
        }
        rig.logged("refused: HTTP_REQUEST");
    }

    @Test
    void whoShowsNoCertificateIsRefused() throws Exception {
        assertThat(ask(anonymous(), LOOK)).isEmpty();
        rig.logged("refused: PEER_DID_NOT_RETURN_A_CERTIFICATE");
    }

    @Test
    void whoShowsACertificateOfAnotherAuthorityIsRefused() throws Exception {
        var stranger = CertificateAuthority.create(Rig.DEPLOYMENT, Instant.now())
                .client(DeploymentTrust.CONTROLLER, Instant.now(), Duration.ofDays(1));
        assertThat(ask(shows(stranger.certificate(), stranger.privateKey()), LOOK))
                .isEmpty();
        Pattern words = Pattern.compile("refused: (certificate signature failure|unable to get local issuer certificate"
                + "|self-signed certificate)"); // OpenSSL's own, which differ by version
        rig.logged("the refusal", words.asPredicate());
    }

    @Test
    void aReplicasOwnCertificateOpensNoReplica() throws Exception {
        SSLContext stolen =
                shows(rig.machine.text("var/lib/tuna/cert.pem"), Secret.of(rig.machine.text("var/lib/tuna/key.pem")));
        assertThat(ask(stolen, LOOK)).isEmpty();
        rig.logged("refused: un"); // "unsupported" or "unsuitable certificate purpose"
    }

    @Test
    void aCertificateOfTheDeploymentThatIsOfNoCallerIsRefused() throws Exception {
        var other = CertificateAuthority.of(rig.secrets
                        .get(new SecretRef("aws/" + Rig.DEPLOYMENT + "/authority"))
                        .orElseThrow())
                .client("somebody.tuna", Instant.now(), Duration.ofDays(1));
        assertThat(ask(shows(other.certificate(), other.privateKey()), LOOK)).isEmpty();
        rig.logged("refused: a certificate of no caller");
    }

    @Test
    void oldProtocolsAreRefused() throws Exception {
        SSLContext old = controller();
        try (Socket socket = connect(old)) {
            ((SSLSocket) socket).setEnabledProtocols(new String[] {"TLSv1.2"});
            assertThat(ask(socket, LOOK)).isEmpty();
        }
        rig.logged("refused: UNSUPPORTED_PROTOCOL");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"GET /agent/look", "PUT /agent/certificate", "PUT /agent/secrets", "GET /agent?x", "GET /agent"})
    void theRoutersCertificateAndTheEnginesKeyDoNotOpenTheAgent(String line) throws Exception {
        String request = line + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + Rig.ENGINE_KEY.reveal() + "\r\n\r\n";
        assertThat(ask(router(), request)).startsWith("HTTP/1.1 403 ").doesNotContain("phase");
        rig.logged("with the certificate of router.tuna");
        assertThat(rig.channel.look().draining()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/%61gent/look", "//agent/look", "/v1/../agent/look", "/Agent/look"})
    void noOtherSpellingLeadsToTheAgent(String path) throws Exception {
        String request = "GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        assertThat(ask(router(), request)).startsWith("HTTP/1.1 40").doesNotContain("phase");
    }

    @Test
    void anEnrolledReplicaIsNotEnrolledAgain() throws Exception {
        String nonce = "{\"nonce\":\"" + "ab".repeat(32) + "\"}";
        assertThat(ask(controller(), put("POST", "/agent/enrol", nonce)))
                .startsWith("HTTP/1.1 409 ")
                .doesNotContain("proof");
        String certificate = "{\"certificate\":\"" + rig.trust.certificate().replace("\n", "\\n") + "\"}";
        assertThat(ask(controller(), put("PUT", "/agent/certificate", certificate)))
                .startsWith("HTTP/1.1 409 ");
        rig.logged("refused: enrolment of a replica that is enrolled");
    }

    private static String put(String method, String path, String body) {
        return method + " " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: " + body.length()
                + "\r\n\r\n" + body;
    }

    @Test
    void aMachineThatKnowsAnOldTokenIsNotBelieved() throws Exception {
        try (MachineSandbox impostor = MachineSandbox.boot(
                        root.resolve("impostor"),
                        UserData.of(rig.boot(Optional.empty())).bytes(),
                        rig.metadata.uri());
                ReplicaChannel channel = to(impostor, rig.trust)) {
            refuses(channel);
            assertThat(impostor.text("run/tuna/engine.env")).isEmpty();
        }
    }

    @Test
    void aMachineThatDoesNotKnowTheTokenGetsNeitherCertificateNorKeys() throws Exception {
        DeploymentTrust fresh = new DeploymentTrust(new InMemorySecretStore(), Rig.DEPLOYMENT, InstantSource.system());
        assertThat(fresh.token(Rig.REPLICA)).isNotEqualTo(rig.token);
        ReplicaBoot wrong = new ReplicaBoot(
                Rig.REPLICA,
                8443,
                Rig.ORPHAN,
                "image",
                List.of("m"),
                Optional.empty(),
                fresh.certificate(),
                Secret.of("guessed"));
        try (MachineSandbox impostor = MachineSandbox.boot(
                        root.resolve("guesser"), UserData.of(wrong).bytes(), rig.metadata.uri());
                ReplicaChannel channel = to(impostor, fresh)) {
            refuses(channel);
            assertThat(impostor.text("var/lib/tuna/cert.pem")).isEmpty();
            assertThat(impostor.text("run/tuna/engine.env")).isEmpty();
            assertThat(fresh.openToken(Rig.REPLICA))
                    .as("the real one may still come")
                    .isPresent();
        }
    }

    private static ReplicaChannel to(MachineSandbox machine, DeploymentTrust trust) {
        return new ReplicaChannel(
                trust,
                Rig.REPLICA,
                machine.address(),
                () -> Map.of("VLLM_API_KEY", Rig.ENGINE_KEY),
                new ChannelTimes(Duration.ofSeconds(10), Duration.ofSeconds(30), System::nanoTime));
    }

    /** Once it answers. */
    private void refuses(ReplicaChannel channel) {
        rig.until("an impostor's answer", () -> {
            try {
                channel.look();
                throw new AssertionError("believed");
            } catch (UntrustedReplicaException e) {
                return Optional.of(e);
            } catch (IOException e) {
                return Optional.empty();
            }
        });
    }

    @Test
    void anotherReplicaOfTheDeploymentIsNotTakenForTheOneThatIsMeant() {
        try (ReplicaChannel other = rig.channel(rig.trust, "r-2")) {
            assertThatThrownBy(other::look)
                    .isInstanceOf(UntrustedReplicaException.class)
                    .hasMessageContaining("r-2");
        }
        HttpClient client = HttpClient.newBuilder()
                .sslContext(rig.trust.router("r-2").sslContext())
                .build();
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create(rig.channel.backend().url() + "/v1/models"))
                .build();
        assertThatThrownBy(() -> client.send(request, BodyHandlers.ofString())).isInstanceOf(SSLException.class);
    }

    @ParameterizedTest(name = "{0} bytes for {1}: {2}")
    @CsvSource({"head, /v1/models, 431", "body, /agent/enrol, 413"})
    void whatIsTooLargeIsRefused(String part, String path, int status) throws Exception {
        String padding = "x".repeat(80_000);
        String request = part.equals("head")
                ? "GET " + path + " HTTP/1.1\r\nHost: a\r\nX-Padding: " + padding + "\r\n\r\n"
                : put("POST", path, "{\"a\":\"" + padding + "\"}");
        // The answer is lost if it overtakes what is still being sent.
        assertThat(ask(controller(), request)).matches("(?s)|HTTP/1\\.1 " + status + " .*");
        rig.logged("refused: oversized " + part);
        assertThat(rig.channel.look().draining()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 3\r\nTransfer-Encoding: chunked",
                "Content-Length: 3\r\nContent-Length: 4",
                "Content-Length: +3",
                "Transfer-Encoding: xchunked",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                "Upgrade: websocket",
                " folded: a",
                "no colon",
                "space : a"
            })
    void whatCouldBeReadInTwoWaysIsRefused(String fields) throws Exception {
        String request = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n\r\nabc";
        assertThat(ask(router(), request)).startsWith("HTTP/1.1 400 ");
        rig.logged("refused: malformed request");
    }

    @Test
    void whoSaysNothingIsNotWaitedFor() throws Exception {
        try (Socket silent = connect()) {
            rig.channel.look(); // the agent has seen it by now
            rig.machine.pass(Duration.ofSeconds(11));
            assertThat(ask(silent, "")).isEmpty();
        }
        rig.logged("refused: no handshake in time");
    }

    @Test
    void whoSaysItSlowlyIsNotWaitedFor() throws Exception {
        try (Socket slow = connect(router())) {
            slow.getOutputStream().write("GET /v1/models HT".getBytes(StandardCharsets.US_ASCII));
            slow.getOutputStream().flush();
            rig.channel.look();
            rig.machine.pass(Duration.ofSeconds(11));
            assertThat(ask(slow, "")).startsWith("HTTP/1.1 408 ");
        }
        rig.logged("refused: slow request");
    }

    @Test
    void aFieldFullOfBlanksCostsNoTime() throws Exception {
        String blanks =
                "GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-A: a" + " ".repeat(60_000) + "b\r\n\r\n";
        for (int i = 0; i < 20; i++) { // half a minute each, were it read in quadratic time
            assertThat(ask(router(), blanks)).startsWith("HTTP/1.1 4");
        }
    }

    @Test
    void manyThatSayNothingDoNotKeepTheControllerOut() throws Exception {
        List<Socket> silent = new ArrayList<>();
        try {
            for (int i = 0; i < 1100; i++) {
                silent.add(connect());
            }
            rig.channel.close();
            rig.ready();
            rig.logged("too many that do not say who they are");
        } finally {
            for (Socket socket : silent) {
                socket.close();
            }
        }
        String before = rig.log();
        rig.machine.pass(Duration.ofSeconds(11)); // who knocks that often has used up the log for ten seconds
        rig.until("the log has room again", () -> {
            try (Socket plain = connect()) {
                ask(plain, LOOK);
            }
            return Optional.of(rig.log()).filter(log -> log.length() > before.length());
        });
    }
}
