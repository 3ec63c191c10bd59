package dev.tuna.spi;

import java.time.Duration;
import java.util.Locale;
import java.util.Objects;

/**
 * What the front end of a serverless cloud answers when no container has served a request, though the status looks like
 * the client's fault or like success. The router takes it for "not here, not now": the request goes elsewhere, or waits
 * and is sent again, and the client never sees it.
 *
 * @param status HTTP status, 100 to 599
 * @param marker text that its body holds, in any case, and that no model could have written into an answer of this status:
 *     with the quotes of JSON around it, if the status is that of success. Not blank
 * @param retryAfter how long the backend is left alone before it is asked again, unless the answer has a
 *     {@code Retry-After} of its own. Zero if time does not help: that counts as a failure of the backend's
 */
public record UnservedAnswer(int status, String marker, Duration retryAfter) {

    /** Checks status, marker and time. */
    public UnservedAnswer {
        Objects.requireNonNull(marker, "marker");
        Objects.requireNonNull(retryAfter, "retryAfter");
        if (status < 100 || status > 599) {
            throw new IllegalArgumentException("status " + status + " must be 100 to 599");
        }
        if (marker.isBlank()) {
            throw new IllegalArgumentException("the marker of an unserved answer must not be blank");
        }
        if (retryAfter.isNegative()) {
            throw new IllegalArgumentException("retryAfter " + retryAfter + " must not be negative");
        }
    }

    /**
     * Whether an answer is of this kind.
     *
     * @param status its status
     * @param body its body as text
     * @return true if both fit
     */
    public boolean matches(int status, String body) {
        return status == this.status && body.toLowerCase(Locale.ROOT).contains(marker.toLowerCase(Locale.ROOT));
    }
}
