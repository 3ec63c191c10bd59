package dev.tuna.router.proxy;

import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.BackendTls;
import java.net.URI;
import java.util.Optional;

/**
 * Where connections to a backend lead; backends behind one endpoint share them. Immutable.
 *
 * @param host name or address
 * @param port 1 to 65535
 * @param tls whether over TLS
 * @param identity how both sides prove who they are, if not by the authorities that everybody knows
 */
record Endpoint(String host, int port, boolean tls, Optional<BackendTls> identity) {

    static Endpoint of(BackendAddress address) {
        Endpoint plain = of(address.url());
        return new Endpoint(plain.host, plain.port, plain.tls, address.tls());
    }

    static Endpoint of(URI url) {
        boolean tls = "https".equals(url.getScheme());
        int port = url.getPort() >= 0 ? url.getPort() : tls ? 443 : 80;
        return new Endpoint(withoutBrackets(url.getHost()), port, tls, Optional.empty());
    }

    /** The name that the certificate of the other side must carry. */
    String serverName() {
        return identity.map(BackendTls::name).orElse(host);
    }

    /** IPv6 addresses are bracketed in URLs only. */
    private static String withoutBrackets(String host) {
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }
}
