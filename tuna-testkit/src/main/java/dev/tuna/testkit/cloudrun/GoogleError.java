package dev.tuna.testkit.cloudrun;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.testkit.vendor.VendorAnswer;

/** A call that Google does not carry out, in the form of google.aip.dev/193. */
final class GoogleError extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int status;
    private final String name;
    private final String reason;

    private GoogleError(int status, String name, String message, String reason) {
        super(message, null, false, false);
        this.status = status;
        this.name = name;
        this.reason = reason;
    }

    static GoogleError unauthenticated(String reason) {
        return new GoogleError(
                401,
                "UNAUTHENTICATED",
                "Request had invalid authentication credentials. Expected OAuth 2 access token.",
                reason);
    }

    static GoogleError denied(String message) {
        return new GoogleError(403, "PERMISSION_DENIED", message, "IAM_PERMISSION_DENIED");
    }

    static GoogleError disabled(String api, String project) {
        return new GoogleError(
                403,
                "PERMISSION_DENIED",
                api + " has not been used in project " + project + " before or it is disabled.",
                "SERVICE_DISABLED");
    }

    static GoogleError notFound(String message) {
        return new GoogleError(404, "NOT_FOUND", message, "");
    }

    static GoogleError exists(String message) {
        return new GoogleError(409, "ALREADY_EXISTS", message, "");
    }

    static GoogleError aborted(String message) {
        return new GoogleError(409, "ABORTED", message, "");
    }

    static GoogleError invalid(String message) {
        return new GoogleError(400, "INVALID_ARGUMENT", message, "");
    }

    VendorAnswer answer() {
        ObjectNode json = StandInService.JSON.createObjectNode();
        ObjectNode error = json.putObject("error");
        error.put("code", status).put("message", getMessage()).put("status", name);
        if (!reason.isEmpty()) {
            error.putArray("details")
                    .addObject()
                    .put("@type", "type.googleapis.com/google.rpc.ErrorInfo")
                    .put("reason", reason)
                    .put("domain", "googleapis.com");
        }
        return VendorAnswer.json(status, json.toString());
    }
}
