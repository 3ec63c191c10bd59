package dev.tuna.router.http;

import dev.tuna.spi.BackendAddress;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpHeadersFactory;
import io.netty.util.AsciiString;
import java.net.URI;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Which header fields go through, both ways.
 *
 * <p>Everything goes through as sent, order and repetitions kept ({@code Content-Encoding}, {@code traceparent},
 * {@code X-Request-Id} and all that is unknown here), except for the lists in this class and fields that
 * {@code Connection} names (RFC 9110 section 7.6.1). The framing of the new message, {@code Transfer-Encoding} and for
 * requests {@code Content-Length}, is left to whoever writes it.
 */
public final class ForwardHeaders {

    /** What is copied has been checked by the decoder already. */
    private static final HttpHeadersFactory UNCHECKED =
            DefaultHttpHeadersFactory.headersFactory().withValidation(false);

    /** Fields of one connection, not of the message. */
    private static final List<String> HOP_BY_HOP = List.of(
            "connection",
            "keep-alive",
            "proxy-connection",
            "proxy-authenticate",
            "proxy-authorization",
            "proxy-authentication-info",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "http2-settings");

    /**
     * What a client's request keeps to itself: its credentials; what the router says itself, about the host, the body's
     * length and who is calling; and the field by which vLLM is told which of its engines to use.
     */
    private static final HttpHeaders NOT_TO_BACKENDS = names(List.of(
            "host",
            "content-length",
            "expect",
            "authorization",
            "x-api-key",
            "api-key",
            "cookie",
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-forwarded-host",
            "x-forwarded-port",
            "x-forwarded-server",
            "x-real-ip",
            "x-data-parallel-rank"));

    /**
     * What a backend's answer keeps to itself: its demands for credentials and its cookies, which belong to its own host;
     * policies about that host; and what it runs on.
     */
    private static final HttpHeaders NOT_TO_CLIENTS = names(List.of(
            "www-authenticate",
            "authentication-info",
            "set-cookie",
            "strict-transport-security",
            "alt-svc",
            "nel",
            "report-to",
            "reporting-endpoints",
            "server",
            "x-powered-by"));

    private static final AsciiString X_FORWARDED_FOR = AsciiString.cached("x-forwarded-for");
    private static final AsciiString X_FORWARDED_PROTO = AsciiString.cached("x-forwarded-proto");
    private static final AsciiString X_FORWARDED_HOST = AsciiString.cached("x-forwarded-host");

    /** The router's own fields, which nobody else may set. */
    private static final String OWN_PREFIX = "x-tuna-";

    private ForwardHeaders() {}

    /**
     * The header of a request to a backend, without framing.
     *
     * <p>{@code X-Forwarded-For} is what the client sent with its address added, so each hop vouches for the one before
     * it; {@code X-Forwarded-Proto} and {@code -Host} say what the client used here, whatever it claims.
     *
     * @param client the client's header
     * @param backend where the request goes; its credential is added
     * @param clientAddress the client's address, numeric
     * @param tls whether the client came over TLS
     * @return a new header
     */
    public static HttpHeaders toBackend(HttpHeaders client, BackendAddress backend, String clientAddress, boolean tls) {
        HttpHeaders headers = passing(client, NOT_TO_BACKENDS);
        address(headers, backend);
        List<String> before = client.getAll(X_FORWARDED_FOR);
        headers.set(
                X_FORWARDED_FOR, before.isEmpty() ? clientAddress : String.join(", ", before) + ", " + clientAddress);
        headers.set(X_FORWARDED_PROTO, tls ? "https" : "http");
        String host = client.get(HttpHeaderNames.HOST);
        if (host != null) {
            headers.set(X_FORWARDED_HOST, host);
        }
        return headers;
    }

    /**
     * Says to whom a request goes, and shows the credential that it demands.
     *
     * @param headers of the request
     * @param backend where it goes
     */
    public static void address(HttpHeaders headers, BackendAddress backend) {
        headers.set(HttpHeaderNames.HOST, host(backend.url()));
        backend.credential()
                .ifPresent(credential ->
                        headers.set(credential.header(), credential.value().reveal()));
    }

    /**
     * The header of an answer to the client; {@code Content-Length} is kept if it is there.
     *
     * @param backend the backend's header
     * @return a new header
     */
    public static HttpHeaders toClient(HttpHeaders backend) {
        return passing(backend, NOT_TO_CLIENTS);
    }

    /**
     * Makes intermediaries pass every event on at once.
     *
     * @param headers the header of an event stream to the client
     */
    public static void unbuffered(HttpHeaders headers) {
        headers.set(HttpHeaderNames.CACHE_CONTROL, "no-cache");
        headers.set("x-accel-buffering", "no");
    }

    /**
     * Whether a backend's status tells about the router's credential and not about the client's request: such an answer
     * becomes a 502.
     *
     * @param status the backend's status
     * @return true for 401, 403 and 407
     */
    public static boolean refusesCredential(int status) {
        return status == 401 || status == 403 || status == 407;
    }

    private static String host(URI url) {
        String host = url.getHost();
        return url.getPort() < 0 ? host : host + ":" + url.getPort();
    }

    private static HttpHeaders passing(HttpHeaders from, HttpHeaders stripped) {
        HttpHeaders named = namedByConnection(from);
        HttpHeaders to = UNCHECKED.newHeaders();
        Iterator<Map.Entry<CharSequence, CharSequence>> fields = from.iteratorCharSequence();
        while (fields.hasNext()) {
            Map.Entry<CharSequence, CharSequence> field = fields.next();
            CharSequence name = field.getKey();
            if (!stripped.contains(name) && !named.contains(name) && !isOwn(name)) {
                to.add(name, field.getValue());
            }
        }
        return to;
    }

    private static HttpHeaders namedByConnection(HttpHeaders from) {
        List<String> values = from.getAll(HttpHeaderNames.CONNECTION);
        if (values.isEmpty()) {
            return NONE;
        }
        HttpHeaders named = UNCHECKED.newHeaders();
        for (String value : values) {
            for (String name : value.split(",", -1)) {
                if (!name.isBlank()) {
                    named.set(name.strip(), "");
                }
            }
        }
        return named;
    }

    private static boolean isOwn(CharSequence name) {
        return AsciiString.regionMatches(name, true, 0, OWN_PREFIX, 0, OWN_PREFIX.length());
    }

    private static final HttpHeaders NONE = names(List.of());

    /** A header is Netty's own case-insensitive set of names. */
    private static HttpHeaders names(List<String> names) {
        HttpHeaders set = UNCHECKED.newHeaders();
        HOP_BY_HOP.forEach(name -> set.set(name, ""));
        names.forEach(name -> set.set(name, ""));
        return set;
    }
}
