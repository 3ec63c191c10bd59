package dev.tuna.router.http;

import java.util.Objects;

/** A request that is answered with an error of the router's own. Carries no stack trace: it is an answer, not a fault. */
public final class RefusedException extends Exception {

    private static final long serialVersionUID = 1L;

    private final transient OpenAiError error;

    /**
     * Refuses a request.
     *
     * @param error the answer
     */
    public RefusedException(OpenAiError error) {
        super(Objects.requireNonNull(error, "error").message(), null, false, false);
        this.error = error;
    }

    /**
     * The answer.
     *
     * @return what to send
     */
    public OpenAiError error() {
        return error;
    }
}
