package dev.tuna.testkit.vllm;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A request as it came in over the wire, and how it ended so far. Immutable; its text form shows neither headers nor
 * body.
 *
 * @param number counts from 1 in the order of arrival
 * @param method as received
 * @param target the raw request target, percent-encoding and query included
 * @param headers as received: order, case and repetitions kept
 * @param body as received, after removing chunked framing; not to be written to
 * @param connection which of the server's connections it came on, counted from 1
 * @param outcome how it ended when this record was taken
 * @param tokens how many tokens were generated for it, all choices together
 */
@SuppressWarnings("ArrayRecordComponent") // records are compared by number in tests, never by body
public record RecordedRequest(
        long number,
        String method,
        String target,
        List<Map.Entry<String, String>> headers,
        byte[] body,
        long connection,
        Outcome outcome,
        int tokens) {

    /** Copies the header list. */
    public RecordedRequest {
        headers = List.copyOf(headers);
    }

    /**
     * The target without its query.
     *
     * @return the raw path
     */
    public String path() {
        int query = target.indexOf('?');
        return query < 0 ? target : target.substring(0, query);
    }

    /**
     * The first value of a header.
     *
     * @param name in any case
     * @return empty if the header is absent
     */
    public Optional<String> header(String name) {
        return headers.stream()
                .filter(header -> header.getKey().equalsIgnoreCase(name))
                .map(Map.Entry::getValue)
                .findFirst();
    }

    /**
     * All values of a header.
     *
     * @param name in any case
     * @return in the order received, empty if the header is absent
     */
    public List<String> headers(String name) {
        return headers.stream()
                .filter(header -> header.getKey().equalsIgnoreCase(name))
                .map(Map.Entry::getValue)
                .toList();
    }

    /**
     * The body as text.
     *
     * @return the body read as UTF-8
     */
    public String bodyText() {
        return new String(body, StandardCharsets.UTF_8);
    }

    @Override
    public String toString() {
        return "#" + number + " " + method + " " + target + " (" + body.length + " bytes) " + outcome + ", " + tokens
                + " tokens";
    }
}
