package dev.tuna.testkit.runpod;

import dev.tuna.testkit.vendor.VendorAnswer;
import java.util.List;

/** A call that RunPod does not carry out. */
final class Refusal extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int status;
    private final String title;
    private final transient List<String> errors;

    Refusal(int status, String title, String detail, String... errors) {
        super(detail, null, false, false);
        this.status = status;
        this.title = title;
        this.errors = List.of(errors);
    }

    static Refusal notFound(String what) {
        return new Refusal(404, "Not Found", what + " not found");
    }

    static Refusal invalid(String... errors) {
        return new Refusal(422, "Unprocessable Entity", "Request validation failed.", errors);
    }

    static Refusal bad(String detail) {
        return new Refusal(400, "Bad Request", detail);
    }

    VendorAnswer answer() {
        var json = RunPodRoutes.JSON.createObjectNode();
        json.put("title", title).put("status", status).put("detail", getMessage());
        if (!errors.isEmpty()) {
            var list = json.putArray("errors");
            errors.forEach(list::add);
        }
        return VendorAnswer.of(status, "application/problem+json", json.toString());
    }
}
