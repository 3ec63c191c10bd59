package dev.tuna.spi;

import dev.tuna.api.Secret;
import java.util.Objects;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * How both sides of a connection to a backend prove who they are, where no public authority knows either. Data, so that
 * whoever connects needs to know neither the cloud nor how the certificates came about.
 *
 * <p>The URL of such a backend may hold a bare address, which it got from its cloud and which another machine may have
 * tomorrow; so the certificate must name {@link #name()} instead. Its text form shows the name only.
 *
 * @param name DNS name that the backend's certificate must carry; letters, digits, dots and hyphens
 * @param authority certificate in PEM of the only authority whose certificates are believed
 * @param certificate certificate in PEM that is presented to the backend; its issuers may follow
 * @param privateKey the key that belongs to it: PKCS#8 in PEM, not encrypted
 */
public record BackendTls(String name, String authority, String certificate, Secret privateKey) {

    private static final Pattern NAME =
            Pattern.compile("(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}"
                    + "[A-Za-z0-9])?)*");
    private static final String CERTIFICATE = "-----BEGIN CERTIFICATE-----";
    private static final String KEY = "-----BEGIN PRIVATE KEY-----";

    /** Checks the name, and that the rest looks like PEM. */
    public BackendTls {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("'" + name + "' is no DNS name that a certificate could carry");
        }
        check("authority", authority, CERTIFICATE);
        check("certificate", certificate, CERTIFICATE);
        check("private key", Objects.requireNonNull(privateKey, "privateKey").reveal(), KEY);
    }

    private static void check(String what, String pem, String begin) {
        if (!pem.contains(begin)) {
            throw new IllegalArgumentException("the " + what + " of a backend must be PEM with a line '" + begin + "'");
        }
    }

    /**
     * What the clients of the Java runtime connect with: presents the certificate, and takes only a server that the
     * authority vouches for by {@link #name()}, whatever the URL calls it. Made anew by every call, at the cost of
     * milliseconds.
     *
     * @return a context for client connections
     * @throws IllegalArgumentException if a part cannot be used; the text says which, and quotes none
     */
    public SSLContext sslContext() {
        TlsMaterial material = TlsMaterial.of(this);
        return material.context(material.namedServer());
    }

    /**
     * The same, but believing whom another trust manager believes: for a machine that proves in another way who it is,
     * before the authority vouches for it.
     *
     * @param trust decides about the other side
     * @return a context for client connections
     * @throws IllegalArgumentException if a part cannot be used; the text says which, and quotes none
     */
    public SSLContext sslContext(X509ExtendedTrustManager trust) {
        return TlsMaterial.of(this).context(trust);
    }

    /** The name alone: the rest is long, or secret. */
    @Override
    public String toString() {
        return "BackendTls[" + name + "]";
    }
}
