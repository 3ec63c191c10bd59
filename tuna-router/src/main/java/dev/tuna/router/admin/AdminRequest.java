package dev.tuna.router.admin;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpMethod;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A request for one of the router's own pages.
 *
 * @param method its method
 * @param path its path, without query
 * @param query the parameters of its query, decoded
 * @param key the key that it carries, one character for each byte as Netty decodes headers; empty if none
 * @param lastEventId its {@code Last-Event-ID}; empty if none
 * @param body its body; stays its owner's
 */
public record AdminRequest(
        HttpMethod method,
        String path,
        Map<String, List<String>> query,
        Optional<String> key,
        Optional<String> lastEventId,
        ByteBuf body) {

    /** Checks that every part is there. */
    public AdminRequest {
        Objects.requireNonNull(method, "method");
        Objects.requireNonNull(path, "path");
        query = Map.copyOf(query);
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(lastEventId, "lastEventId");
        Objects.requireNonNull(body, "body");
    }
}
