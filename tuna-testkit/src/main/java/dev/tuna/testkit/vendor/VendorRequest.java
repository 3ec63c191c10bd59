package dev.tuna.testkit.vendor;

import com.sun.net.httpserver.Headers;
import java.util.Objects;
import java.util.Optional;

/**
 * A request as it came in, whole.
 *
 * @param method its method
 * @param path decoded path, without the query
 * @param query raw query; empty if there is none
 * @param headers its headers; not to be changed
 * @param body its body as UTF-8, a character for each byte if it is no text; may be empty
 */
public record VendorRequest(String method, String path, String query, Headers headers, String body) {

    /** Checks that every part is there. */
    public VendorRequest {
        Objects.requireNonNull(method, "method");
        Objects.requireNonNull(path, "path");
        Objects.requireNonNull(query, "query");
        Objects.requireNonNull(headers, "headers");
        Objects.requireNonNull(body, "body");
    }

    /**
     * A header.
     *
     * @param name in any case
     * @return its first value; empty if it was not sent
     */
    public Optional<String> header(String name) {
        return Optional.ofNullable(headers.getFirst(name));
    }

    /**
     * What stands behind {@code Bearer}.
     *
     * @return the token; empty if there is none
     */
    public Optional<String> bearer() {
        return header("Authorization")
                .filter(value -> value.startsWith("Bearer "))
                .map(value -> value.substring("Bearer ".length()));
    }

    /**
     * A query parameter.
     *
     * @param name its name, which needs no decoding
     * @return the raw value of the first of this name; empty if there is none
     */
    public Optional<String> parameter(String name) {
        for (String pair : query.split("&")) {
            if (pair.startsWith(name + "=")) {
                return Optional.of(pair.substring(name.length() + 1));
            }
        }
        return Optional.empty();
    }

    /** Method and path only: headers and body hold keys and prompts. */
    @Override
    public String toString() {
        return method + " " + path;
    }
}
