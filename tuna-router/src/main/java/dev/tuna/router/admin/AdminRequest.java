package dev.tuna.router.admin;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpMethod;
import java.util.Objects;
import java.util.Optional;

/**
 * A request for one of the router's own pages.
 *
 * @param method its method
 * @param path its path, without query
 * @param key the key that it carries, one character for each byte as Netty decodes headers; empty if none
 * @param body its body; stays its owner's
 */
public record AdminRequest(HttpMethod method, String path, Optional<String> key, ByteBuf body) {

    /** Checks that every part is there. */
    public AdminRequest {
        Objects.requireNonNull(method, "method");
        Objects.requireNonNull(path, "path");
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(body, "body");
    }
}
