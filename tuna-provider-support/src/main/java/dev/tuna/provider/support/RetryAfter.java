package dev.tuna.provider.support;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.Optional;

/** The {@code Retry-After} header, RFC 9110 section 10.2.3: seconds or a date. */
final class RetryAfter {

    /** More than any provider means; keeps arithmetic on it safe. */
    private static final double MAX_SECONDS = 365 * 86_400;

    private RetryAfter() {}

    /**
     * Reads a header value.
     *
     * @return the wait, zero for a date that has passed; empty for what is neither form
     */
    static Optional<Duration> parse(String value, Instant now) {
        try {
            double seconds = Double.parseDouble(value.strip());
            return seconds >= 0
                    ? Optional.of(Duration.ofMillis((long) (Math.min(seconds, MAX_SECONDS) * 1000)))
                    : Optional.empty();
        } catch (NumberFormatException e) {
            return parseDate(value.strip(), now);
        }
    }

    private static Optional<Duration> parseDate(String value, Instant now) {
        try {
            Instant then = DateTimeFormatter.RFC_1123_DATE_TIME.parse(value, Instant::from);
            Duration wait = Duration.between(now, then);
            return Optional.of(wait.isNegative() ? Duration.ZERO : wait);
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }
}
