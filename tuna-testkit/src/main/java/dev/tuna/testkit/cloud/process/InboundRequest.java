package dev.tuna.testkit.cloud.process;

import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;

/**
 * A whole request as it came in.
 *
 * @param method its method
 * @param uri its target
 * @param headers its headers
 * @param body its body, not to be written to
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record InboundRequest(HttpMethod method, String uri, HttpHeaders headers, byte[] body) {

    /** Without headers and body, which hold keys and prompts. */
    @Override
    public String toString() {
        return method + " " + uri;
    }
}
