package dev.tuna.core.budget;

import java.math.BigDecimal;
import java.util.Optional;

/**
 * The replicas of a revision of a deployment, as far as money is concerned.
 *
 * @param wanted replicas that are there or on their way and are not being given up
 * @param unpriced how many of them do not show in the cost per hour yet
 * @param usdPerHour what one costs, the dearest if they differ, those that are being given up included; empty if none has a
 *     price yet
 * @param besideUsdPerHour what costs that much with or without them: its part of the machine that it is looked after on, and
 *     replicas of other revisions
 */
public record Rented(int wanted, int unpriced, Optional<BigDecimal> usdPerHour, BigDecimal besideUsdPerHour) {

    /** What a limit per hour leaves for replicas. */
    BigDecimal left(BigDecimal limit) {
        return limit.subtract(besideUsdPerHour).max(BigDecimal.ZERO);
    }
}
