package dev.tuna.testkit.cloud.model;

import java.util.Objects;

/** The cloud says no. */
public final class CloudRefusal extends RuntimeException {

    /** No pool that was named has a machine now. */
    public static final String CAPACITY = "capacity";

    private final int status;
    private final String code;
    private final boolean retryable;

    /**
     * A refusal.
     *
     * @param status HTTP status, 400 to 599
     * @param code stable word in lower case with underscores
     * @param message what is wrong, with the value at fault
     * @param retryable whether the same call can succeed later
     */
    public CloudRefusal(int status, String code, String message, boolean retryable) {
        super(message);
        this.status = status;
        this.code = Objects.requireNonNull(code, "code");
        this.retryable = retryable;
    }

    static CloudRefusal badRequest(String message) {
        return new CloudRefusal(400, "bad_request", message, false);
    }

    static CloudRefusal notFound(String what, String id) {
        return new CloudRefusal(404, "not_found", "no " + what + " '" + id + "'", false);
    }

    static CloudRefusal conflict(String code, String message) {
        return new CloudRefusal(409, code, message, false);
    }

    /**
     * The HTTP status.
     *
     * @return 400 to 599
     */
    public int status() {
        return status;
    }

    /**
     * What kind of refusal.
     *
     * @return a stable word
     */
    public String code() {
        return code;
    }

    /**
     * Whether the same call can succeed later.
     *
     * @return true if trying again makes sense
     */
    public boolean retryable() {
        return retryable;
    }

    /** The message, which every refusal has. */
    @Override
    public String getMessage() {
        return Objects.requireNonNull(super.getMessage());
    }
}
