package dev.tuna.router.proxy;

import dev.tuna.router.http.OpenAiError;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/** Error answers put into a stream of events whose status has been sent already. */
final class InBand {

    private InBand() {}

    /**
     * A backend's answer as one event.
     *
     * @param body released
     * @return its JSON object, or an error of our own if it is none
     */
    static ByteBuf event(ByteBuf body) {
        String text = body.toString(StandardCharsets.UTF_8).strip();
        body.release();
        return text.startsWith("{")
                ? Unpooled.copiedBuffer(
                        "data: " + text.replace('\r', ' ').replace('\n', ' ') + "\n\n", StandardCharsets.UTF_8)
                : Unpooled.wrappedBuffer(OpenAiError.streamBroken().sseEvent());
    }
}
