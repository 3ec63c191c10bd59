package dev.tuna.testkit.baseten;

import dev.tuna.testkit.vendor.VendorAnswer;

/** A call that Baseten does not carry out. */
final class Refusal extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int status;

    Refusal(int status, String message) {
        super(message, null, false, false);
        this.status = status;
    }

    static Refusal bad(String message) {
        return new Refusal(400, message);
    }

    static Refusal notFound(String what) {
        return new Refusal(404, what + " not found");
    }

    /** As the management API tells it. */
    VendorAnswer answer() {
        return VendorAnswer.json(
                status,
                BasetenRoutes.JSON
                        .createObjectNode()
                        .put("message", getMessage())
                        .toString());
    }
}
