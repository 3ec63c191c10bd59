package dev.tuna.router.proxy;

import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseEncoder;

/** Netty's encoder, told by the connection when an answer has a length but no body. Confined to its event loop. */
final class AnswerEncoder extends HttpResponseEncoder {

    private boolean toHead;

    /** Whether the next answer is to a HEAD request. */
    void answersHead(boolean head) {
        toHead = head;
    }

    @Override
    protected boolean isContentAlwaysEmpty(HttpResponse response) {
        return (toHead && response.status().code() >= 200) || super.isContentAlwaysEmpty(response);
    }
}
