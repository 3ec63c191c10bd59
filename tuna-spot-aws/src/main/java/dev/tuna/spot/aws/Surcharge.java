package dev.tuna.spot.aws;

import java.math.BigDecimal;
import java.math.RoundingMode;

/**
 * What a machine costs beside itself: its root volume, and its public address. By AWS's list prices of us-east-1 at the end of
 * 2025 (gp3 at $0.08 a GB-month, $0.005 an operation/s-month above 3000, $0.04 a MB/s-month above 125; $0.005 an hour for an
 * address); other regions differ by a few tenths. Pure.
 */
final class Surcharge {

    private static final BigDecimal GB_MONTH = new BigDecimal("0.08");
    private static final BigDecimal IOPS_MONTH = new BigDecimal("0.005");
    private static final BigDecimal THROUGHPUT_MONTH = new BigDecimal("0.04");
    private static final BigDecimal ADDRESS_HOUR = new BigDecimal("0.005");
    private static final BigDecimal HOURS = BigDecimal.valueOf(730);
    private static final int FREE_IOPS = 3000;
    private static final int FREE_THROUGHPUT = 125;
    private static final int DIGITS = 5;

    private Surcharge() {}

    static BigDecimal usdPerHour(AwsOptions options) {
        return usdPerHour(
                options.volumeGb(),
                options.volumeIops() - FREE_IOPS,
                options.volumeThroughput() - FREE_THROUGHPUT,
                options.isPrivate());
    }

    /** Of a router's machine, whose volume is as quick as one that costs nothing extra. */
    static BigDecimal usdPerHour(RouterOptions options) {
        return usdPerHour(options.diskGb(), 0, 0, options.shared().isPrivate());
    }

    private static BigDecimal usdPerHour(int gb, int iops, int throughput, boolean isPrivate) {
        BigDecimal volume = GB_MONTH.multiply(BigDecimal.valueOf(gb))
                .add(IOPS_MONTH.multiply(BigDecimal.valueOf(iops)))
                .add(THROUGHPUT_MONTH.multiply(BigDecimal.valueOf(throughput)));
        return volume.divide(HOURS, DIGITS, RoundingMode.HALF_UP).add(isPrivate ? BigDecimal.ZERO : ADDRESS_HOUR);
    }
}
