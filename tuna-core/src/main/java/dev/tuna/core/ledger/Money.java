package dev.tuna.core.ledger;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Money in millionths of a US dollar, in whole numbers.
 *
 * <p>The rounding rule: each ledger entry is rounded once, half up, to the microdollar; every sum is a sum of entries. So
 * a bill adds up exactly, and however a span is cut into entries, their sum differs from the span's cost by at most half
 * a microdollar for each entry. Pure.
 */
public final class Money {

    private static final int DIGITS = 6;
    private static final BigInteger NANOS_PER_SECOND = BigInteger.valueOf(1_000_000_000L);
    private static final BigDecimal NANOS_PER_HOUR = BigDecimal.valueOf(3_600_000_000_000L);

    private Money() {}

    /**
     * A price as the ledger keeps it.
     *
     * @param usdPerHour US dollars per hour, 0 or more; empty if unknown
     * @return microdollars per hour, rounded half up; empty if unknown
     */
    public static OptionalLong microUsdPerHour(Optional<BigDecimal> usdPerHour) {
        return usdPerHour
                .map(price -> OptionalLong.of(price.movePointRight(DIGITS)
                        .setScale(0, RoundingMode.HALF_UP)
                        .longValueExact()))
                .orElse(OptionalLong.empty());
    }

    /**
     * What a time costs.
     *
     * @param billed billed time, zero or longer
     * @param microUsdPerHour microdollars per hour, 0 or more; empty if unknown
     * @return microdollars, rounded half up; empty if the price is unknown
     */
    public static OptionalLong cost(Duration billed, OptionalLong microUsdPerHour) {
        if (microUsdPerHour.isEmpty()) {
            return OptionalLong.empty();
        }
        BigInteger nanos = BigInteger.valueOf(billed.toSeconds())
                .multiply(NANOS_PER_SECOND)
                .add(BigInteger.valueOf(billed.toNanosPart()));
        return OptionalLong.of(new BigDecimal(nanos.multiply(BigInteger.valueOf(microUsdPerHour.getAsLong())))
                .divide(NANOS_PER_HOUR, 0, RoundingMode.HALF_UP)
                .longValueExact());
    }

    /**
     * An amount as reports show it.
     *
     * @param microUsd microdollars
     * @return US dollars, with six decimals
     */
    public static BigDecimal usd(long microUsd) {
        return BigDecimal.valueOf(microUsd, DIGITS);
    }

    /**
     * An amount as reports show it, if it is known.
     *
     * @param microUsd microdollars; empty if unknown
     * @return US dollars, with six decimals; empty if unknown
     */
    public static Optional<BigDecimal> usd(OptionalLong microUsd) {
        return microUsd.isPresent() ? Optional.of(usd(microUsd.getAsLong())) : Optional.empty();
    }
}
