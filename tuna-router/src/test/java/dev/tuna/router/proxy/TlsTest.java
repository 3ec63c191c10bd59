package dev.tuna.router.proxy;

import static dev.tuna.router.proxy.Bench.chat;
import static dev.tuna.router.proxy.Bench.events;
import static dev.tuna.router.proxy.Bench.serverless;
import static dev.tuna.router.proxy.Bench.spot;
import static dev.tuna.router.proxy.Bench.stream;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.tuna.api.ConfigurationException;
import dev.tuna.router.BackendFailure;
import dev.tuna.router.RouterConfig;
import dev.tuna.router.RouterEngine;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TLS on the listener, and towards backends: one router in front of another. */
class TlsTest {

    private static final char[] PASSWORD = "changeit".toCharArray();

    @TempDir
    private Path directory;

    private Path certificate;
    private Path key;
    private SSLContext trusting;

    @BeforeEach
    void makeCertificate() throws Exception {
        Path store = directory.resolve("store.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "router",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=localhost",
                        "-ext",
                        "SAN=dns:localhost",
                        "-validity",
                        "3650",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        new String(PASSWORD))
                .redirectErrorStream(true)
                .start();
        assertThat(keytool.waitFor()).isZero();
        KeyStore loaded = KeyStore.getInstance(store.toFile(), PASSWORD);
        Certificate own = loaded.getCertificate("router");
        certificate = pem("certificate.pem", "CERTIFICATE", own.getEncoded());
        Key secret = loaded.getKey("router", PASSWORD);
        key = pem("key.pem", "PRIVATE KEY", secret.getEncoded());
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        trusted.setCertificateEntry("router", own);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        trusting = SSLContext.getInstance("TLS");
        trusting.init(null, trust.getTrustManagers(), null);
    }

    private Path pem(String name, String type, byte[] content) throws Exception {
        return Files.writeString(
                directory.resolve(name),
                "-----BEGIN " + type + "-----\n" + Base64.getMimeEncoder().encodeToString(content) + "\n-----END "
                        + type + "-----\n");
    }

    private RouterConfig secure() {
        return RouterConfig.builder()
                .port(0)
                .ioThreads(1)
                .tls(new RouterConfig.Tls(certificate, key))
                .build();
    }

    @Test
    @DisplayName("R-17 the listener speaks TLS if it has a certificate")
    void theListenerSpeaksTls() throws Exception {
        try (Bench bench = new Bench(secure())) {
            VllmStandIn replica = bench.standIn();
            bench.route(List.of(), List.of(spot("spot-1", replica.uri())));
            HttpClient client = HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .sslContext(trusting)
                    .build();
            for (String body : List.of(stream("hello"), stream("again"))) {
                HttpResponse<String> answer = client.send(
                        HttpRequest.newBuilder(URI.create("https://localhost:" + bench.port() + Bench.CHAT))
                                .header("Content-Type", "application/json")
                                .POST(BodyPublishers.ofString(body))
                                .build(),
                        BodyHandlers.ofString());
                assertThat(events(answer.body())).last().isEqualTo("[DONE]");
            }
            assertThat(replica.requests().get(0).header("x-forwarded-proto")).hasValue("https");
        }
    }

    @Test
    void backendsAreVerified() throws Exception {
        RouterConfig trustful = RouterConfig.builder()
                .port(0)
                .ioThreads(1)
                .backendCertificates(certificate)
                .build();
        try (Bench backend = new Bench(secure());
                Bench trusts = new Bench(trustful);
                Bench distrusts = new Bench()) {
            VllmStandIn replica = backend.standIn();
            backend.route(List.of(), List.of(spot("spot-1", replica.uri())));
            URI named = URI.create("https://localhost:" + backend.port());
            URI numbered = URI.create("https://127.0.0.1:" + backend.port());
            trusts.route(List.of(serverless("cloud", named)), List.of());
            assertThat(trusts.post(chat("hello", "")).statusCode()).isEqualTo(200);
            trusts.route(List.of(serverless("other-name", numbered)), List.of());
            assertThat(trusts.post(chat("hello", "")).statusCode()).isEqualTo(502);
            assertThat(trusts.failures).containsExactly(BackendFailure.CONNECT);
            distrusts.route(List.of(serverless("cloud", named)), List.of());
            assertThat(distrusts.post(chat("hello", "")).statusCode()).isEqualTo(502);
            assertThat(replica.stats().requests()).isEqualTo(1);
        }
    }

    @Test
    void unusableFilesAreNamed() throws Exception {
        Path wrong = Files.writeString(directory.resolve("wrong.pem"), "nothing");
        RouterConfig config = RouterConfig.builder()
                .port(0)
                .tls(new RouterConfig.Tls(certificate, wrong))
                .build();
        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(() -> RouterEngine.builder().config(config).start())
                .withMessageContaining("wrong.pem")
                .withMessageContaining("PKCS#8");
    }
}
