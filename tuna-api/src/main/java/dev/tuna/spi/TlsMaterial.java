package dev.tuna.spi;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/** {@link BackendTls}, read: certificates and keys as the Java runtime has them. Immutable. */
record TlsMaterial(String name, List<X509Certificate> authorities, List<X509Certificate> chain, PrivateKey key) {

    private static final char[] NO_PASSWORD = {};

    static TlsMaterial of(BackendTls tls) {
        List<X509Certificate> chain = certificates("certificate", tls.certificate());
        return new TlsMaterial(
                tls.name(),
                certificates("authority", tls.authority()),
                chain,
                key(tls.privateKey().reveal(), chain.get(0).getPublicKey().getAlgorithm()));
    }

    SSLContext context(TrustManager trust) {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keyManagers(), new TrustManager[] {trust}, null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalArgumentException("the certificate of a backend and its private key cannot be used", e);
        }
    }

    /** Believes the one server that is meant. */
    TrustManager namedServer() {
        try {
            return new NamedServerTrust(name, trust());
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalArgumentException("the authority of a backend cannot be used", e);
        }
    }

    private KeyManager[] keyManagers() throws GeneralSecurityException, IOException {
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        own.setKeyEntry("own", key, NO_PASSWORD, chain.toArray(Certificate[]::new));
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, NO_PASSWORD);
        return keys.getKeyManagers();
    }

    private X509TrustManager trust() throws GeneralSecurityException, IOException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        for (int i = 0; i < authorities.size(); i++) {
            trusted.setCertificateEntry("authority-" + i, authorities.get(i));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        for (TrustManager each : trust.getTrustManagers()) {
            if (each instanceof X509TrustManager manager) {
                return manager;
            }
        }
        throw new GeneralSecurityException("this Java runtime has no X.509 trust manager");
    }

    private static List<X509Certificate> certificates(String what, String pem) {
        try {
            Collection<? extends Certificate> found = CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII)));
            List<X509Certificate> all =
                    found.stream().map(X509Certificate.class::cast).toList();
            if (all.isEmpty()) {
                throw new GeneralSecurityException("no certificate");
            }
            return all;
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("the " + what + " of a backend is no X.509 certificate in PEM", e);
        }
    }

    /** Without a cause, which might quote the key. */
    private static PrivateKey key(String pem, String algorithm) {
        String base64 = pem.replaceAll("-----(BEGIN|END) PRIVATE KEY-----", "").replaceAll("\\s", "");
        try {
            return KeyFactory.getInstance(algorithm)
                    .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(base64)));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "the private key of a backend is no " + algorithm + " key in PEM, PKCS#8 and not encrypted");
        }
    }
}
