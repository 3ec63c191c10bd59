package dev.tuna.router.proxy;

import java.net.URI;

/**
 * Where connections to a backend lead; backends behind one endpoint share them. Immutable.
 *
 * @param host name or address
 * @param port 1 to 65535
 * @param tls whether over TLS
 */
record Endpoint(String host, int port, boolean tls) {

    static Endpoint of(URI url) {
        boolean tls = "https".equals(url.getScheme());
        int port = url.getPort() >= 0 ? url.getPort() : tls ? 443 : 80;
        return new Endpoint(withoutBrackets(url.getHost()), port, tls);
    }

    /** IPv6 addresses are bracketed in URLs only. */
    private static String withoutBrackets(String host) {
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }
}
