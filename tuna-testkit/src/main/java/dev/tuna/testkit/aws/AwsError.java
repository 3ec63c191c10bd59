package dev.tuna.testkit.aws;

/** A call that AWS does not carry out. */
final class AwsError extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int status;
    private final String code;

    AwsError(int status, String code, String message) {
        super(message, null, false, false);
        this.status = status;
        this.code = code;
    }

    /** The caller's fault, as most are. */
    static AwsError bad(String code, String message) {
        return new AwsError(400, code, message);
    }

    static AwsError invalid(String message) {
        return bad("InvalidParameterValue", message);
    }

    static AwsError missing(String parameter) {
        return bad("MissingParameter", "The request must contain the parameter " + parameter);
    }

    static AwsError unauthorized() {
        return new AwsError(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
    }

    int status() {
        return status;
    }

    String code() {
        return code;
    }

    String text() {
        return String.valueOf(getMessage());
    }
}
