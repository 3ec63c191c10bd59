package dev.tuna.router.proxy;

import dev.tuna.router.BackendFailure;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.UnservedAnswer;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Tells answers of a provider's front end, which are for the router, from those of the server behind it. Pure. */
final class Unserved {

    /** Front ends are brief; what is longer is an answer. */
    private static final int MOST_BYTES = 16 << 10;

    private Unserved() {}

    /** Whether an answer of this status could be one, so that its body must be read. */
    static boolean mayBe(BackendAddress address, int status) {
        for (UnservedAnswer answer : address.unserved()) {
            if (answer.status() == status) {
                return true;
            }
        }
        return false;
    }

    /** Which one it is; null if a server has answered. */
    static @Nullable UnservedAnswer in(BackendAddress address, int status, ByteBuf body) {
        if (!mayBe(address, status) || body.readableBytes() > MOST_BYTES) {
            return null;
        }
        String text = body.toString(StandardCharsets.UTF_8);
        for (UnservedAnswer answer : address.unserved()) {
            if (answer.matches(status, text)) {
                return answer;
            }
        }
        return null;
    }

    static BackendFailure failure(UnservedAnswer answer) {
        return answer.retryAfter().isZero() ? BackendFailure.SERVER_ERROR : BackendFailure.OVERLOADED;
    }

    static String detail(UnservedAnswer answer) {
        return "not served: status " + answer.status() + ", " + answer.marker();
    }
}
