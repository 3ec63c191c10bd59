package dev.tuna.router.http;

import dev.tuna.api.Tier;
import io.netty.handler.codec.http.HttpHeaders;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * How a client wants its request to be treated, from its header. Immutable.
 *
 * @param failover whether another backend may be tried if the first fails; {@code x-tuna-failover: off} for no
 * @param continuation whether another backend may go on with a stream that breaks; {@code x-tuna-continuation: off} for no,
 *     and whoever wants no failover wants no continuation either
 * @param tier the only tier that may answer, from {@code x-tuna-tier}; empty for any
 * @param retry whether the client's library sends the request again after a failure ({@code x-stainless-retry-count})
 * @param patience how long the client's library waits for an answer, as it says in {@code x-stainless-read-timeout} or
 *     {@code x-stainless-timeout}, less a twentieth for the way; empty if it does not say
 */
public record ClientWishes(
        boolean failover, boolean continuation, Optional<Tier> tier, boolean retry, Optional<Duration> patience) {

    private static final String FAILOVER = "x-tuna-failover";
    private static final String CONTINUATION = "x-tuna-continuation";
    private static final String TIER = "x-tuna-tier";

    /** OpenAI's Python library has the first, its others the second; in seconds. */
    private static final String[] TIMEOUTS = {"x-stainless-read-timeout", "x-stainless-timeout"};

    private static final double LESS_THE_WAY = 0.95;

    /**
     * Reads them.
     *
     * @param headers the request's header
     * @return what it says
     * @throws RefusedException 400 if a switch of the router's own has a value that is not allowed
     */
    public static ClientWishes of(HttpHeaders headers) throws RefusedException {
        boolean failover = isOn(headers, FAILOVER);
        boolean continuation = isOn(headers, CONTINUATION);
        return new ClientWishes(failover, failover && continuation, tier(headers), isRetry(headers), patience(headers));
    }

    /**
     * Whether a backend of a tier may answer.
     *
     * @param candidate its tier
     * @return false if the client wants another
     */
    public boolean allows(Tier candidate) {
        return tier.isEmpty() || tier.get() == candidate;
    }

    private static boolean isOn(HttpHeaders headers, String name) throws RefusedException {
        String value = headers.get(name);
        if (value == null || value.equalsIgnoreCase("on")) {
            return true;
        }
        if (value.equalsIgnoreCase("off")) {
            return false;
        }
        throw refused(name, "on, off");
    }

    private static Optional<Tier> tier(HttpHeaders headers) throws RefusedException {
        String value = headers.get(TIER);
        if (value == null) {
            return Optional.empty();
        }
        for (Tier tier : Tier.values()) {
            if (lower(tier).equalsIgnoreCase(value)) {
                return Optional.of(tier);
            }
        }
        throw refused(
                TIER, Arrays.stream(Tier.values()).map(ClientWishes::lower).collect(Collectors.joining(", ")));
    }

    private static String lower(Tier tier) {
        return tier.name().toLowerCase(Locale.ROOT);
    }

    private static RefusedException refused(String field, String allowed) {
        return new RefusedException(OpenAiError.badField(
                field, "invalid_header", "The header '" + field + "' must be one of: " + allowed + "."));
    }

    private static boolean isRetry(HttpHeaders headers) {
        String count = headers.get("x-stainless-retry-count");
        return count != null && !count.equals("0");
    }

    private static Optional<Duration> patience(HttpHeaders headers) {
        for (String name : TIMEOUTS) {
            String value = headers.get(name);
            if (value != null) {
                return seconds(value);
            }
        }
        return Optional.empty();
    }

    /** What is no number was not meant for us. */
    private static Optional<Duration> seconds(String value) {
        try {
            double millis = Double.parseDouble(value) * 1000 * LESS_THE_WAY;
            return millis >= 1 && millis < Integer.MAX_VALUE
                    ? Optional.of(Duration.ofMillis((long) millis))
                    : Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }
}
