package dev.tuna.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.Secret;
import java.net.URI;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BackendTlsTest {

    private static final String CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    private static final Secret KEY =
            Secret.of("-----BEGIN PRIVATE KEY-----\ncGxhbnRlZA==\n-----END PRIVATE KEY-----\n");

    private final BackendTls tls = new BackendTls("r-1.replica.tuna", CERTIFICATE, CERTIFICATE, KEY);

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "-a", "a..b", "a_b", "a b", "a\n", "*.tuna"})
    void theNameIsOneThatACertificateCarries(String name) {
        assertThatThrownBy(() -> new BackendTls(name, CERTIFICATE, CERTIFICATE, KEY))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'" + name + "'");
    }

    @Test
    void partsThatAreNotPemAreNamedAndNotQuoted() {
        assertThatThrownBy(() -> new BackendTls("r-1", "AA", CERTIFICATE, KEY)).hasMessageContaining("authority");
        assertThatThrownBy(() -> new BackendTls("r-1", CERTIFICATE, "AA", KEY)).hasMessageContaining("certificate");
        assertThatThrownBy(() -> new BackendTls("r-1", CERTIFICATE, CERTIFICATE, Secret.of("planted")))
                .hasMessageContaining("private key")
                .hasMessageNotContaining("planted");
        assertThatThrownBy(tls::sslContext).hasMessageContaining("X.509").hasMessageNotContaining("planted");
    }

    @Test
    void itGoesWithHttpsOnly() {
        BackendAddress secured =
                BackendAddress.of(URI.create("https://10.0.0.1:8443")).withTls(tls);
        assertThat(secured.withCredential(Credential.bearer(Secret.of("k"))).tls())
                .hasValue(tls);
        assertThatThrownBy(() ->
                        BackendAddress.of(URI.create("http://10.0.0.1:8443")).withTls(tls))
                .hasMessageContaining("https");
    }

    @Test
    void itsTextIsItsName() {
        assertThat(tls).hasToString("BackendTls[r-1.replica.tuna]");
        assertThat(BackendAddress.of(URI.create("https://10.0.0.1:8443"))
                        .withTls(tls)
                        .toString())
                .doesNotContain("BEGIN");
    }
}
