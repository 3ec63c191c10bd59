package dev.tuna.testkit.vendor;

import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What a vendor answers.
 *
 * @param status HTTP status; of no meaning if the request is relayed
 * @param headers further headers
 * @param contentType type of the body; empty if there is none. {@code text/event-stream} does not end by itself: comments
 *     follow the body until the client hangs up
 * @param body the body, of an archive or other octets a character for each byte; may be empty
 * @param relay URL of a model server that answers instead, event by event
 * @param whenOver run when the answer has been written, or could not be
 */
public record VendorAnswer(
        int status,
        Map<String, String> headers,
        String contentType,
        String body,
        Optional<URI> relay,
        Runnable whenOver) {

    /** Copies the headers. */
    public VendorAnswer {
        headers = Map.copyOf(headers);
        Objects.requireNonNull(contentType, "contentType");
        Objects.requireNonNull(body, "body");
        Objects.requireNonNull(relay, "relay");
        Objects.requireNonNull(whenOver, "whenOver");
    }

    /**
     * A body of JSON.
     *
     * @param status HTTP status
     * @param json the body
     * @return the answer
     */
    public static VendorAnswer json(int status, String json) {
        return of(status, "application/json", json);
    }

    /**
     * A body of any type.
     *
     * @param status HTTP status
     * @param contentType its type
     * @param body the body
     * @return the answer
     */
    public static VendorAnswer of(int status, String contentType, String body) {
        return new VendorAnswer(status, Map.of(), contentType, body, Optional.empty(), () -> {});
    }

    /**
     * No body.
     *
     * @param status HTTP status, for instance 204
     * @return the answer
     */
    public static VendorAnswer empty(int status) {
        return of(status, "", "");
    }

    /**
     * Whatever a model server answers to the same request.
     *
     * @param url the server's URL with path and query
     * @return the answer
     */
    public static VendorAnswer relayed(URI url) {
        return new VendorAnswer(0, Map.of(), "", "", Optional.of(url), () -> {});
    }

    /**
     * The same with one more header.
     *
     * @param name header name
     * @param value its value
     * @return the answer
     */
    public VendorAnswer with(String name, String value) {
        Map<String, String> more = new HashMap<>(headers);
        more.put(name, value);
        return new VendorAnswer(status, more, contentType, body, relay, whenOver);
    }

    /**
     * The same, and something is done when it is over.
     *
     * @param then run once, in the server's thread
     * @return the answer
     */
    public VendorAnswer whenOver(Runnable then) {
        return new VendorAnswer(status, headers, contentType, body, relay, then);
    }
}
