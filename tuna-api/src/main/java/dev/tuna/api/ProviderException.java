package dev.tuna.api;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** A provider refused an operation or could not be reached. Quoted bodies have their secrets redacted. */
public final class ProviderException extends TunaException {

    private final String provider;
    private final String operation;
    private final int httpStatus;
    private final @Nullable Duration retryAfter;

    private ProviderException(Builder builder) {
        super(builder.code, builder.retryable, builder.text(), builder.cause);
        this.provider = builder.provider;
        this.operation = builder.operation;
        this.httpStatus = builder.httpStatus;
        this.retryAfter = builder.retryAfter;
    }

    /**
     * Starts the description of a refusal.
     *
     * @param provider the provider's name
     * @param operation what was being done, for instance {@code create endpoint}
     * @return a builder whose code is {@link ErrorCode#PROVIDER_REFUSED} until set
     */
    public static Builder of(String provider, String operation) {
        return new Builder(provider, operation);
    }

    /**
     * Which provider.
     *
     * @return its name
     */
    public String provider() {
        return provider;
    }

    /**
     * What was being done.
     *
     * @return a short verb phrase
     */
    public String operation() {
        return operation;
    }

    /**
     * The HTTP status of the provider's answer.
     *
     * @return the status; empty if no answer came
     */
    public OptionalInt httpStatus() {
        return httpStatus == 0 ? OptionalInt.empty() : OptionalInt.of(httpStatus);
    }

    /**
     * How long the provider asked us to wait.
     *
     * @return the wait; empty if it named none
     */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }

    /** Collects what is known about a refusal. Not thread-safe. */
    public static final class Builder {
        private final String provider;
        private final String operation;
        private ErrorCode code = ErrorCode.PROVIDER_REFUSED;
        private boolean retryable;
        private int httpStatus;
        private @Nullable Duration retryAfter;
        private String message = "";
        private @Nullable Throwable cause;

        private Builder(String provider, String operation) {
            this.provider = Objects.requireNonNull(provider, "provider");
            this.operation = Objects.requireNonNull(operation, "operation");
        }

        /**
         * Sets the stable code.
         *
         * @param code default {@link ErrorCode#PROVIDER_REFUSED}
         * @return this
         */
        public Builder code(ErrorCode code) {
            this.code = code;
            return this;
        }

        /**
         * Says whether the same call can succeed later.
         *
         * @param retryable default false
         * @return this
         */
        public Builder retryable(boolean retryable) {
            this.retryable = retryable;
            return this;
        }

        /**
         * Sets the HTTP status.
         *
         * @param status 100 to 599; 0 means that no answer came
         * @return this
         */
        public Builder httpStatus(int status) {
            this.httpStatus = status;
            return this;
        }

        /**
         * Sets the wait that the provider asked for.
         *
         * @param wait not negative
         * @return this
         */
        public Builder retryAfter(Duration wait) {
            this.retryAfter = wait;
            return this;
        }

        /**
         * Sets what the provider said and how to mend it, already redacted.
         *
         * @param message a sentence or a short quoted body
         * @return this
         */
        public Builder message(String message) {
            this.message = message;
            return this;
        }

        /**
         * Sets the cause.
         *
         * @param cause what showed the failure
         * @return this
         */
        public Builder cause(Throwable cause) {
            this.cause = cause;
            return this;
        }

        /**
         * Makes the exception.
         *
         * @return the exception, to be thrown
         */
        public ProviderException build() {
            return new ProviderException(this);
        }

        private String text() {
            String status = httpStatus == 0 ? "" : " (HTTP " + httpStatus + ")";
            return provider + ": " + operation + " failed" + status + (message.isEmpty() ? "" : ": " + message);
        }
    }
}
