package dev.tuna.spi;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * Believes a server whose certificate an authority has signed and that carries a given name. It extends the extended kind,
 * so that the runtime leaves the name to it and does not also look for that of the URL. Immutable.
 */
final class NamedServerTrust extends X509ExtendedTrustManager {

    private static final int DNS = 2;

    private final String name;
    private final X509TrustManager authority;

    NamedServerTrust(String name, X509TrustManager authority) {
        this.name = name;
        this.authority = authority;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        authority.checkServerTrusted(chain, authType);
        Collection<List<?>> names = chain[0].getSubjectAlternativeNames();
        if (names == null || names.stream().noneMatch(this::isOwn)) {
            throw new CertificateException("the certificate does not name '" + name + "'");
        }
    }

    private boolean isOwn(List<?> alternative) {
        return alternative.get(0).equals(DNS) && alternative.get(1) instanceof String dns && dns.equalsIgnoreCase(name);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        checkServerTrusted(chain, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        checkServerTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("only servers are trusted here");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return authority.getAcceptedIssuers();
    }
}
