package dev.tuna.examples.terminal;

import java.math.BigDecimal;
import java.math.RoundingMode;

/** Sums of money as people read them. Pure. */
public final class Dollars {

    private static final BigDecimal ONE_DOLLAR = BigDecimal.ONE;

    private Dollars() {}

    /**
     * A sum in US dollars: to the cent, but small sums to the hundredth of a cent and tiny ones to the microdollar.
     *
     * @param usd the sum
     * @return for instance {@code $12.34}, {@code $0.0123}, {@code $0.000042}
     */
    public static String text(BigDecimal usd) {
        BigDecimal size = usd.abs();
        int digits = size.compareTo(ONE_DOLLAR) >= 0 || size.signum() == 0
                ? 2
                : size.compareTo(new BigDecimal("0.01")) >= 0 ? 4 : 6;
        return (usd.signum() < 0 ? "-$" : "$")
                + size.setScale(digits, RoundingMode.HALF_UP).toPlainString();
    }
}
