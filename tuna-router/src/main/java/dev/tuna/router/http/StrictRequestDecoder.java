package dev.tuna.router.http;

import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpRequestDecoder;

/**
 * Netty's decoder, but a request with both {@code Content-Length} and {@code Transfer-Encoding} is refused, where Netty
 * would drop the length without a word. After such a request nothing more of the connection is read as HTTP.
 */
public final class StrictRequestDecoder extends HttpRequestDecoder {

    /**
     * A decoder.
     *
     * @param config limits
     */
    public StrictRequestDecoder(HttpDecoderConfig config) {
        super(config);
    }

    @Override
    protected void handleTransferEncodingChunkedWithContentLength(HttpMessage message) {
        throw new IllegalArgumentException("both Content-Length and Transfer-Encoding");
    }
}
