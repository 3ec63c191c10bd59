package dev.tuna.router.proxy;

import dev.tuna.router.http.ClientWishes;
import dev.tuna.router.http.RequestTarget;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import java.util.OptionalLong;

/**
 * A request as the client sent it, checked and whole.
 *
 * @param method its method
 * @param target where it goes
 * @param version HTTP/1.0 or 1.1
 * @param headers its header, as sent
 * @param id its {@code X-Request-Id}, the client's or a new one
 * @param body its body, kept for every attempt
 * @param stream whether it asks for a stream of events
 * @param choices how many choices its answer must have
 * @param conversation what it has in common with other requests of its conversation; see {@link
 *     dev.tuna.router.http.RequestBody#conversation()}
 * @param wishes how it wants to be treated
 */
record ClientRequest(
        HttpMethod method,
        RequestTarget target,
        HttpVersion version,
        HttpHeaders headers,
        String id,
        ByteBuf body,
        boolean stream,
        int choices,
        OptionalLong conversation,
        ClientWishes wishes) {

    boolean isHead() {
        return method.equals(HttpMethod.HEAD);
    }

    boolean isHttp10() {
        return version.equals(HttpVersion.HTTP_1_0);
    }
}
