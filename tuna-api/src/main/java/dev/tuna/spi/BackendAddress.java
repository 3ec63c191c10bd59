package dev.tuna.spi;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * How the router reaches a backend. Data, so that neither core nor router needs to know the provider.
 *
 * @param url base URL, {@code http} or {@code https}; request paths such as {@code /v1/chat/completions} are appended
 * @param credential the header that the backend demands; empty if none
 * @param healthPath path that answers 200 when the backend can serve
 * @param hardLimit longest time the provider lets one request take; empty if unlimited or unknown
 * @param maxInFlight requests it should get at once; 0 if unlimited or unknown
 * @param unserved answers of the provider's front end by which it says that it has not served a request, though their
 *     status is one of a server that has; may be empty
 * @param tls how both sides prove who they are, for a backend that no public authority knows; empty if an {@code https}
 *     URL is verified as usual. Present only with {@code https}
 */
public record BackendAddress(
        URI url,
        Optional<Credential> credential,
        String healthPath,
        Optional<Duration> hardLimit,
        int maxInFlight,
        List<UnservedAnswer> unserved,
        Optional<BackendTls> tls) {

    /** Copies the list and checks the URL's scheme and host, the path's first character, and that TLS goes over TLS. */
    public BackendAddress {
        Objects.requireNonNull(credential, "credential");
        Objects.requireNonNull(hardLimit, "hardLimit");
        unserved = List.copyOf(unserved);
        String scheme = url.getScheme();
        if (!("http".equals(scheme) || "https".equals(scheme)) || url.getHost() == null) {
            throw new IllegalArgumentException("backend URL '" + url + "' must be http or https with a host");
        }
        if (!healthPath.startsWith("/")) {
            throw new IllegalArgumentException("health path '" + healthPath + "' must start with /");
        }
        if (tls.isPresent() && !"https".equals(scheme)) {
            throw new IllegalArgumentException(
                    "backend URL '" + url + "' must be https, since the backend has a certificate of its own");
        }
    }

    /**
     * An address whose answers mean what their status says.
     *
     * @param url base URL
     * @param credential the header that the backend demands; empty if none
     * @param healthPath path that answers 200 when the backend can serve
     * @param hardLimit longest time the provider lets one request take; empty if unlimited or unknown
     * @param maxInFlight requests it should get at once; 0 if unlimited or unknown
     */
    public BackendAddress(
            URI url,
            Optional<Credential> credential,
            String healthPath,
            Optional<Duration> hardLimit,
            int maxInFlight) {
        this(url, credential, healthPath, hardLimit, maxInFlight, List.of(), Optional.empty());
    }

    /**
     * An address without credential or limits, whose health path is {@code /health}.
     *
     * @param url base URL
     * @return the address
     */
    public static BackendAddress of(URI url) {
        return new BackendAddress(url, Optional.empty(), "/health", Optional.empty(), 0);
    }

    /**
     * The same with a credential.
     *
     * @param other the header that the backend demands
     * @return a copy
     */
    public BackendAddress withCredential(Credential other) {
        return new BackendAddress(url, Optional.of(other), healthPath, hardLimit, maxInFlight, unserved, tls);
    }

    /**
     * The same whose front end has answers of its own.
     *
     * @param answers what they look like
     * @return a copy
     */
    public BackendAddress withUnserved(List<UnservedAnswer> answers) {
        return new BackendAddress(url, credential, healthPath, hardLimit, maxInFlight, answers, tls);
    }

    /**
     * The same whose certificates belong to an authority of their own.
     *
     * @param own how both sides prove who they are
     * @return a copy
     * @throws IllegalArgumentException if the URL is not {@code https}
     */
    public BackendAddress withTls(BackendTls own) {
        return new BackendAddress(url, credential, healthPath, hardLimit, maxInFlight, unserved, Optional.of(own));
    }
}
