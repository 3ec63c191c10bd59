package dev.tuna.core.budget;

import java.math.BigDecimal;
import java.time.Instant;

/**
 * Until when a limit per hour stays hit. Without it a deployment that ends its replicas since they cost too much would launch
 * them again at once, since then it costs less.
 *
 * @param limit the limit that was hit; another one is looked at anew
 * @param until the end of the hour in which it was
 */
public record RateMemory(BigDecimal limit, Instant until) {

    /** No limit has been hit. */
    public static final RateMemory NONE = new RateMemory(BigDecimal.ZERO, Instant.MIN);

    boolean holds(BigDecimal limitNow, Instant now) {
        return limit.compareTo(limitNow) == 0 && now.isBefore(until);
    }
}
