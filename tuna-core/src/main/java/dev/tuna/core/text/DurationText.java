package dev.tuna.core.text;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Durations as people write them: {@code 90s}, {@code 5m}, {@code 1h30m}, {@code 500ms}, or a plain number of seconds.
 * Pure.
 */
public final class DurationText {

    /** What is accepted, for error messages. */
    public static final String ALLOWED = "a duration such as 90s, 5m, 1h30m or 500ms, or a plain number of seconds";

    private static final Pattern SECONDS = Pattern.compile("[+-]?\\d{1,12}(\\.\\d{1,9})?");
    private static final String NUMBER = "(\\d{1,12}(?:\\.\\d{1,9})?)";
    private static final Pattern UNITS = Pattern.compile("(?:%1$sh)?(?:%1$sm)?(?:%1$ss)?(?:%1$sms)?".formatted(NUMBER));
    private static final Map<Integer, BigDecimal> NANOS = Map.of(
            1, BigDecimal.valueOf(3_600_000_000_000L),
            2, BigDecimal.valueOf(60_000_000_000L),
            3, BigDecimal.valueOf(1_000_000_000L),
            4, BigDecimal.valueOf(1_000_000L));

    private DurationText() {}

    /**
     * Reads a duration.
     *
     * @param text units from large to small ({@code h}, {@code m}, {@code s}, {@code ms}), each at most once and with
     *     fractions allowed; or a number of seconds, which may be negative
     * @return the duration, cut to the nanosecond; empty if the text is not one
     */
    public static Optional<Duration> parse(String text) {
        if (SECONDS.matcher(text).matches()) {
            return Optional.of(ofNanos(new BigDecimal(text).multiply(nanos(3))));
        }
        Matcher units = UNITS.matcher(text);
        if (text.isEmpty() || !units.matches()) {
            return Optional.empty();
        }
        BigDecimal sum = BigDecimal.ZERO;
        for (int unit = 1; unit <= units.groupCount(); unit++) {
            String number = units.group(unit);
            if (number != null) {
                sum = sum.add(new BigDecimal(number).multiply(nanos(unit)));
            }
        }
        return Optional.of(ofNanos(sum));
    }

    /**
     * Writes a duration so that {@link #parse} reads the same one.
     *
     * @param duration the duration
     * @return for instance {@code 5m}, {@code 1h30m}, {@code 0.5s}; a number of seconds if it is negative
     */
    public static String format(Duration duration) {
        if (duration.isNegative() || duration.isZero()) {
            return seconds(duration) + (duration.isZero() ? "s" : "");
        }
        var text = new StringBuilder();
        if (duration.toHours() > 0) {
            text.append(duration.toHours()).append('h');
        }
        if (duration.toMinutesPart() > 0) {
            text.append(duration.toMinutesPart()).append('m');
        }
        Duration rest = Duration.ofSeconds(duration.toSecondsPart(), duration.toNanosPart());
        return rest.isZero()
                ? text.toString()
                : text.append(seconds(rest)).append('s').toString();
    }

    private static String seconds(Duration duration) {
        BigDecimal seconds =
                BigDecimal.valueOf(duration.toSeconds()).add(BigDecimal.valueOf(duration.toNanosPart(), 9));
        return seconds.signum() == 0 ? "0" : seconds.stripTrailingZeros().toPlainString();
    }

    private static BigDecimal nanos(int unit) {
        return NANOS.getOrDefault(unit, BigDecimal.ZERO);
    }

    private static Duration ofNanos(BigDecimal nanos) {
        BigDecimal[] parts = nanos.setScale(0, RoundingMode.DOWN).divideAndRemainder(nanos(3));
        return Duration.ofSeconds(parts[0].longValueExact(), parts[1].longValueExact());
    }
}
