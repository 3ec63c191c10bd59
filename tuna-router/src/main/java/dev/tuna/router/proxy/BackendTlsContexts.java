package dev.tuna.router.proxy;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.router.Route;
import dev.tuna.spi.BackendTls;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;

/**
 * What connections to {@code https} backends are secured with: one context for all that public authorities know, and one
 * for each authority of its own, which the replicas of a deployment share. Thread-safe.
 */
final class BackendTlsContexts {

    /** What makes a context; the name of the other side is looked at per connection. */
    private record Identity(String authority, String certificate, Secret privateKey) {
        static Identity of(BackendTls tls) {
            return new Identity(tls.authority(), tls.certificate(), tls.privateKey());
        }
    }

    private final SslContext usual;
    private final Map<Identity, SslContext> own = new ConcurrentHashMap<>();

    /**
     * Reads the usual authorities.
     *
     * @param certificates those to trust; empty for those of the Java runtime
     * @throws ConfigurationException if they cannot be read
     */
    BackendTlsContexts(Optional<Path> certificates) {
        SslContextBuilder builder = SslContextBuilder.forClient();
        try {
            certificates.ifPresent(file -> builder.trustManager(file.toFile()));
            usual = builder.build();
        } catch (SSLException | IllegalArgumentException e) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "the certificates trusted for https backends, '"
                            + certificates.map(Path::toString).orElse("those of the Java runtime")
                            + "', cannot be used; the file must hold PEM certificates",
                    e);
        }
    }

    /**
     * Secures a connection.
     *
     * @param allocator of the connection
     * @param endpoint where it leads
     * @param timeout for the handshake
     * @return a handler that lets nobody but the endpoint answer
     * @throws SSLException if the endpoint's certificates or key cannot be used
     */
    SslHandler handler(ByteBufAllocator allocator, Endpoint endpoint, Duration timeout) throws SSLException {
        SslContext context =
                endpoint.identity().isPresent() ? context(endpoint.identity().get()) : usual;
        SslHandler handler = context.newHandler(allocator, endpoint.serverName(), endpoint.port());
        SSLParameters parameters = handler.engine().getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        handler.engine().setSSLParameters(parameters);
        handler.setHandshakeTimeoutMillis(timeout.toMillis());
        return handler;
    }

    /** Reads what a route needs, so that no event loop has to. What cannot be read fails when it is connected with. */
    void prepare(Route route) {
        Stream.concat(route.replicas().stream(), route.serverless().stream())
                .flatMap(backend -> backend.address().tls().stream())
                .forEach(tls -> {
                    try {
                        context(tls);
                    } catch (SSLException e) {
                        return; // every request to it says so
                    }
                });
    }

    /** Forgets what no backend needs any more; connections that are open keep theirs. */
    void keep(Set<BackendTls> wanted) {
        if (!own.isEmpty()) {
            own.keySet().retainAll(wanted.stream().map(Identity::of).collect(Collectors.toSet()));
        }
    }

    /** How many authorities of their own are known. */
    int size() {
        return own.size();
    }

    private SslContext context(BackendTls tls) throws SSLException {
        Identity identity = Identity.of(tls);
        SslContext known = own.get(identity);
        if (known != null) {
            return known;
        }
        // Two threads may make one at the same time: that costs milliseconds once, and holds up nobody.
        SslContext made = make(identity, tls.name());
        SslContext other = own.putIfAbsent(identity, made);
        return other != null ? other : made;
    }

    private static SslContext make(Identity identity, String name) throws SSLException {
        try {
            return SslContextBuilder.forClient()
                    .trustManager(stream(identity.authority))
                    .keyManager(stream(identity.certificate), stream(identity.privateKey.reveal()))
                    .build();
        } catch (SSLException | IllegalArgumentException e) {
            // Without a cause, which may quote the key.
            throw new SSLException("the certificates or the private key for the backend '" + name
                    + "' cannot be used; they must be PEM, the key PKCS#8 and not encrypted, and belong together");
        }
    }

    private static InputStream stream(String pem) {
        return new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII));
    }
}
