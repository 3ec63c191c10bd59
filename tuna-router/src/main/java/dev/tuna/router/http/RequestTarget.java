package dev.tuna.router.http;

import java.util.Objects;

/**
 * Where a request goes. Immutable.
 *
 * @param kind who answers it
 * @param path the path without query: for {@link Kind#MODEL} the decoded model name, otherwise as sent, a repeated
 *     {@code /v1} removed
 * @param target path and query as they go to a backend: byte for byte as sent, except for a repeated {@code /v1}
 */
public record RequestTarget(Kind kind, String path, String target) {

    /** Who answers. */
    public enum Kind {
        /** A backend, chosen by the model named in the body. */
        INFERENCE,
        /** The backend that stored the response; the request names no model. */
        STORED_RESPONSE,
        /** The router: the list of models. */
        MODELS,
        /** The router: one model, whose name is the path. */
        MODEL,
        /** The router: its own pages under {@code /router/}. */
        ADMIN
    }

    /** Checks that every part is there. */
    public RequestTarget {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(path, "path");
        Objects.requireNonNull(target, "target");
    }
}
