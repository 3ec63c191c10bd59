package dev.tuna.testkit.vendor;

import java.util.Objects;

/**
 * A request and what was answered, for checks afterwards. Bodies may hold secrets: its text form leaves them out.
 *
 * @param request what was asked
 * @param status what was answered; 0 if the connection was cut
 * @param contentType type of the answer; empty if it has no body
 * @param body the answer's body; empty for what a model server answered
 * @param faulty whether the answer was a fault that a test had injected
 */
public record VendorExchange(VendorRequest request, int status, String contentType, String body, boolean faulty) {

    /** Checks that every part is there. */
    public VendorExchange {
        Objects.requireNonNull(request, "request");
        Objects.requireNonNull(contentType, "contentType");
        Objects.requireNonNull(body, "body");
    }

    /** Request line and status. */
    @Override
    public String toString() {
        return request + " -> " + status;
    }
}
