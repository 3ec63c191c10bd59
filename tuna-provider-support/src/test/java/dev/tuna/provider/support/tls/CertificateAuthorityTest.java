package dev.tuna.provider.support.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.Secret;
import dev.tuna.provider.support.tls.CertificateAuthority.Use;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Read back by the Java runtime, which knows nothing of how they were written. */
class CertificateAuthorityTest {

    private static final Instant NOW = Instant.parse("2026-11-30T12:00:00.123Z");
    private static final Duration YEAR = Duration.ofDays(365);

    private final CertificateAuthority authority = CertificateAuthority.create("tuna-1a2b3c4d", NOW);

    static X509Certificate read(String pem) throws Exception {
        return (X509Certificate) CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII)));
    }

    private static KeyPair key(String algorithm) throws Exception {
        return KeyPairGenerator.getInstance(algorithm).generateKeyPair();
    }

    @Test
    void itsOwnCertificateIsThatOfAnAuthorityOfNoOthers() throws Exception {
        X509Certificate own = read(authority.certificate());
        own.verify(own.getPublicKey());
        assertThat(own.getVersion()).isEqualTo(3);
        assertThat(own.getSubjectX500Principal().getName()).isEqualTo("CN=tuna-1a2b3c4d");
        assertThat(own.getBasicConstraints()).as("signs no authorities").isZero();
        assertThat(own.getKeyUsage()[5]).as("signs certificates").isTrue();
        assertThat(own.getKeyUsage()[0]).as("signs handshakes").isFalse();
        assertThat(own.getCriticalExtensionOIDs()).containsExactlyInAnyOrder("2.5.29.19", "2.5.29.15");
        assertThat(own.getNotBefore().toInstant()).isEqualTo(Instant.parse("2026-11-29T12:00:00Z"));
        assertThat(own.getSerialNumber().signum()).isPositive();
    }

    @ParameterizedTest(name = "a {0} key, to be shown by a {1}")
    @CsvSource({"EC, SERVER, 1.3.6.1.5.5.7.3.1", "RSA, SERVER, 1.3.6.1.5.5.7.3.1", "EC, CLIENT, 1.3.6.1.5.5.7.3.2"})
    void whatItSignsHasOneUseAndOneName(String algorithm, Use use, String usage) throws Exception {
        KeyPair pair = key(algorithm);
        X509Certificate signed = read(authority.sign(pair.getPublic(), "r-1.replica.tuna", use, NOW, YEAR));
        assertThat(signed.getPublicKey()).isEqualTo(pair.getPublic());
        assertThat(signed.getExtendedKeyUsage()).containsExactly(usage);
        assertThat(signed.getSubjectAlternativeNames()).containsExactly(List.of(2, "r-1.replica.tuna"));
        assertThat(signed.getBasicConstraints()).as("is no authority").isEqualTo(-1);
        assertThat(signed.getKeyUsage())
                .as("signs handshakes only")
                .startsWith(true)
                .satisfies(usages -> {
                    for (int i = 1; i < usages.length; i++) {
                        assertThat(usages[i]).isFalse();
                    }
                });
        assertThat(signed.getNotAfter().toInstant()).isEqualTo(Instant.parse("2027-11-30T12:00:00Z"));
        validate(signed, authority);
    }

    @Test
    void anotherAuthoritysCertificateIsRefused() throws Exception {
        X509Certificate signed = read(authority.sign(key("EC").getPublic(), "r-1", Use.SERVER, NOW, YEAR));
        CertificateAuthority sameName = CertificateAuthority.create("tuna-1a2b3c4d", NOW);
        assertThatThrownBy(() -> validate(signed, sameName)).isInstanceOf(CertPathValidatorException.class);
    }

    private static void validate(X509Certificate signed, CertificateAuthority authority) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("authority", read(authority.certificate()));
        PKIXParameters parameters = new PKIXParameters(trusted);
        parameters.setRevocationEnabled(false);
        parameters.setDate(Date.from(NOW));
        CertPathValidator.getInstance("PKIX")
                .validate(CertificateFactory.getInstance("X.509").generateCertPath(List.of(signed)), parameters);
    }

    @Test
    void itIsTheSameAfterItWasKept() throws Exception {
        CertificateAuthority kept = CertificateAuthority.of(authority.secret());
        assertThat(kept.certificate()).isEqualTo(authority.certificate());
        validate(read(kept.sign(key("EC").getPublic(), "r-1", Use.SERVER, NOW, YEAR)), authority);
        assertThatThrownBy(() -> CertificateAuthority.of(Secret.of("-----BEGIN PRIVATE KEY-----\nplanted")))
                .hasMessageNotContaining("planted")
                .hasNoCause();
    }

    @Test
    void certificatesOutliveTheYear2050() throws Exception {
        Instant late = Instant.parse("2049-06-01T00:00:00Z");
        X509Certificate own = read(CertificateAuthority.create("late", late).certificate());
        assertThat(own.getNotAfter().toInstant()).isEqualTo(late.plus(Duration.ofDays(20 * 365)));
    }

    @Test
    void whoConnectsHasAKeyOfItsOwnThatNoTextShows() throws Exception {
        var client = authority.client("controller", NOW, YEAR);
        assertThat(read(client.certificate()).getExtendedKeyUsage()).containsExactly("1.3.6.1.5.5.7.3.2");
        assertThat(client.to("r-1.replica.tuna").sslContext()).isNotNull();
        assertThat(client.to("r-1.replica.tuna").name()).isEqualTo("r-1.replica.tuna");
        assertThat(Set.of(client.toString(), client.to("r-1").toString())).noneMatch(text -> text.contains("BEGIN"));
        assertThat(authority.client("controller", NOW, YEAR).privateKey()).isNotEqualTo(client.privateKey());
    }
}
