package dev.tuna.provider.support.tls;

import dev.tuna.api.Secret;
import dev.tuna.spi.BackendTls;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Base64;

/**
 * An authority that vouches for the machines of one deployment and for whoever may talk to them. Its certificates are for
 * exactly one use, so that a machine's cannot be shown as a caller's: a machine that is taken over gets at no other.
 *
 * <p>It only writes certificates, with keys and signatures of the Java runtime; believing one is left to the TLS
 * implementations on both sides, so what it might write wrongly is refused and never let in. Immutable, thread-safe.
 */
public final class CertificateAuthority {

    private static final String EC_P256 = "secp256r1";
    private static final byte[] ECDSA_WITH_SHA256 = Der.sequence(Der.oid("1.2.840.10045.4.3.2"));
    private static final byte[] VERSION_3 = Der.explicit(0, Der.integer(BigInteger.TWO));
    private static final byte[] SIGNS_CERTIFICATES = {0x06};
    private static final byte[] SIGNS_HANDSHAKES = {(byte) 0x80};

    /** Both sides' clocks may differ, and a machine that has just booted may not know the time yet. */
    private static final Duration CLOCKS_DIFFER = Duration.ofDays(1);

    private static final Duration LIFE = Duration.ofDays(20 * 365);

    /** What a certificate is for. */
    public enum Use {
        /** To be shown by a machine that is connected to. */
        SERVER("1.3.6.1.5.5.7.3.1"),
        /** To be shown by who connects. */
        CLIENT("1.3.6.1.5.5.7.3.2");

        private final String oid;

        Use(String oid) {
            this.oid = oid;
        }
    }

    private final X509Certificate certificate;
    private final PrivateKey key;

    private CertificateAuthority(X509Certificate certificate, PrivateKey key) {
        this.certificate = certificate;
        this.key = key;
    }

    /**
     * Makes a new one, with a key of its own.
     *
     * @param name what it is called in certificates, for instance the deployment's name
     * @param now from when on it vouches, less a day for clocks that differ
     * @return an authority for 20 years; keep its {@link #secret()}
     */
    public static CertificateAuthority create(String name, Instant now) {
        KeyPair pair = newKey();
        byte[] subject = name(name);
        byte[] extensions = Der.sequence(
                extension("2.5.29.19", true, Der.sequence(Der.yes(), Der.integer(BigInteger.ZERO))),
                extension("2.5.29.15", true, Der.bits(1, SIGNS_CERTIFICATES)),
                extension("2.5.29.14", false, Der.octets(keyId(pair.getPublic()))));
        Instant from = now.minus(CLOCKS_DIFFER);
        byte[] signed = signed(pair.getPrivate(), subject, subject, from, now.plus(LIFE), pair.getPublic(), extensions);
        return new CertificateAuthority(parse(signed), pair.getPrivate());
    }

    /**
     * Reads one that was kept.
     *
     * @param secret from {@link #secret()}
     * @return the same authority
     * @throws IllegalArgumentException if the text is none; it is not quoted
     */
    public static CertificateAuthority of(Secret secret) {
        String pem = secret.reveal();
        try {
            PrivateKey key = KeyFactory.getInstance("EC")
                    .generatePrivate(new PKCS8EncodedKeySpec(Pem.content("PRIVATE KEY", pem)));
            return new CertificateAuthority(parse(Pem.content("CERTIFICATE", pem)), key);
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IllegalArgumentException("the kept certificate authority cannot be read"); // a cause may quote it
        }
    }

    /**
     * All there is to it: its private key and its certificate, in PEM.
     *
     * @return what {@link #of} reads
     */
    public Secret secret() {
        return Secret.of(Pem.of("PRIVATE KEY", key.getEncoded()) + certificate());
    }

    /**
     * What others must know to believe its certificates. No secret.
     *
     * @return its certificate in PEM
     */
    public String certificate() {
        return Pem.of("CERTIFICATE", encoded(certificate));
    }

    /**
     * Vouches for a key.
     *
     * @param subject whose it is
     * @param name DNS name by which the other side asks for it
     * @param use what the certificate is for
     * @param now from when on, less a day for clocks that differ
     * @param life for how long
     * @return a certificate in PEM
     */
    public String sign(PublicKey subject, String name, Use use, Instant now, Duration life) {
        byte[] dns = Der.implicit(2, name.getBytes(StandardCharsets.US_ASCII));
        byte[] extensions = Der.sequence(
                extension("2.5.29.19", true, Der.sequence()),
                extension("2.5.29.15", true, Der.bits(7, SIGNS_HANDSHAKES)),
                extension("2.5.29.37", false, Der.sequence(Der.oid(use.oid))),
                extension("2.5.29.17", false, Der.sequence(dns)),
                extension("2.5.29.14", false, Der.octets(keyId(subject))),
                extension("2.5.29.35", false, Der.sequence(Der.implicit(0, keyId(certificate.getPublicKey())))));
        byte[] issuer = certificate.getSubjectX500Principal().getEncoded();
        return Pem.of(
                "CERTIFICATE",
                signed(key, issuer, name(name), now.minus(CLOCKS_DIFFER), now.plus(life), subject, extensions));
    }

    /**
     * Makes a key for somebody who connects, and vouches for it.
     *
     * @param name who connects
     * @param now from when on, less a day for clocks that differ
     * @param life for how long
     * @return what is shown to machines
     */
    public ClientIdentity client(String name, Instant now, Duration life) {
        KeyPair pair = newKey();
        return new ClientIdentity(
                certificate(),
                sign(pair.getPublic(), name, Use.CLIENT, now, life),
                Secret.of(Pem.of("PRIVATE KEY", pair.getPrivate().getEncoded())));
    }

    /**
     * Somebody who may connect to machines of the authority.
     *
     * @param authority the authority's certificate in PEM
     * @param certificate the own one in PEM
     * @param privateKey the key that belongs to it, PKCS#8 in PEM
     */
    public record ClientIdentity(String authority, String certificate, Secret privateKey) {

        /**
         * How to connect to one machine, and to no other.
         *
         * @param server the name in that machine's certificate
         * @return the identities of both sides
         */
        public BackendTls to(String server) {
            return new BackendTls(server, authority, certificate, privateKey);
        }

        /** Without the certificates, which are long. */
        @Override
        public String toString() {
            return "ClientIdentity[***]";
        }
    }

    private static byte[] signed(
            PrivateKey issuerKey,
            byte[] issuer,
            byte[] subject,
            Instant from,
            Instant to,
            PublicKey key,
            byte[] extensions) {
        byte[] body = Der.sequence(
                VERSION_3,
                Der.integer(new BigInteger(127, new SecureRandom()).setBit(126)),
                ECDSA_WITH_SHA256,
                issuer,
                Der.sequence(
                        Der.time(from.truncatedTo(ChronoUnit.SECONDS)), Der.time(to.truncatedTo(ChronoUnit.SECONDS))),
                subject,
                key.getEncoded(),
                Der.explicit(3, extensions));
        return Der.sequence(body, ECDSA_WITH_SHA256, Der.bits(0, signature(issuerKey, body)));
    }

    private static byte[] extension(String oid, boolean critical, byte[] value) {
        return critical
                ? Der.sequence(Der.oid(oid), Der.yes(), Der.octets(value))
                : Der.sequence(Der.oid(oid), Der.octets(value));
    }

    private static byte[] name(String commonName) {
        // At most 64 characters (RFC 5280, A.1); whoever verifies looks at the alternative name.
        String fit = commonName.length() <= 64 ? commonName : commonName.substring(0, 64);
        return Der.sequence(Der.set(Der.sequence(Der.oid("2.5.4.3"), Der.utf8(fit))));
    }

    private static byte[] keyId(PublicKey key) {
        return Arrays.copyOf(sha256(key.getEncoded()), 20);
    }

    private static byte[] sha256(byte[] content) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(content);
        } catch (GeneralSecurityException e) {
            throw missing(e);
        }
    }

    private static byte[] signature(PrivateKey key, byte[] content) {
        try {
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(key);
            signature.update(content);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw missing(e);
        }
    }

    private static KeyPair newKey() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec(EC_P256));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw missing(e);
        }
    }

    private static X509Certificate parse(byte[] der) {
        try {
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("no certificate", e);
        }
    }

    private static byte[] encoded(X509Certificate certificate) {
        try {
            return certificate.getEncoded();
        } catch (GeneralSecurityException e) {
            throw missing(e);
        }
    }

    /** Every Java runtime has what is used here. */
    private static IllegalStateException missing(GeneralSecurityException e) {
        return new IllegalStateException("this Java runtime cannot make certificates", e);
    }

    /** PEM, as RFC 7468 has it. */
    private static final class Pem {

        private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});

        static String of(String label, byte[] content) {
            return "-----BEGIN " + label + "-----\n" + LINES.encodeToString(content) + "\n-----END " + label
                    + "-----\n";
        }

        static byte[] content(String label, String pem) {
            String begin = "-----BEGIN " + label + "-----";
            int from = pem.indexOf(begin);
            int to = pem.indexOf("-----END " + label + "-----");
            if (from < 0 || to < from) {
                throw new IllegalArgumentException("no " + label);
            }
            return Base64.getMimeDecoder().decode(pem.substring(from + begin.length(), to));
        }
    }
}
