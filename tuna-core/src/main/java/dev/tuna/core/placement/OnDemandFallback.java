package dev.tuna.core.placement;

import java.time.Duration;
import java.util.OptionalLong;

/**
 * Whether machines at list price are worth renting while spot has run dry. Serverless bridges first: it is there in seconds.
 * A machine at list price has to boot, and serverless is paid for meanwhile all the same, so it must save more in the rest of
 * the shortage than it costs until it serves. Pure.
 */
public final class OnDemandFallback {

    /** How long a shortage of a zone lasts in the middle, as measured in nine zones: a bit less to a bit more than this. */
    static final Duration USUAL_GAP = Duration.ofMinutes(30);

    private OnDemandFallback() {}

    /**
     * Decides.
     *
     * @param serverlessMicroUsd price of a container an hour; empty if unknown or if there is none
     * @param onDemandMicroUsd price of a machine an hour; empty if unknown
     * @param containers containers that one such machine would make superfluous at the current load, fractions allowed
     * @param dryFor how long spot has been dry already
     * @param boot how long a machine takes until it serves
     * @return true if machines at list price are cheaper
     */
    public static boolean pays(
            OptionalLong serverlessMicroUsd,
            OptionalLong onDemandMicroUsd,
            double containers,
            Duration dryFor,
            Duration boot) {
        if (serverlessMicroUsd.isEmpty() || onDemandMicroUsd.isEmpty()) {
            return false;
        }
        Duration gap = expectedGap(dryFor);
        double saved = serverlessMicroUsd.getAsLong() * containers * hours(gap);
        double spent = onDemandMicroUsd.getAsLong() * hours(gap.plus(boot));
        return spent < saved;
    }

    /** Short ones end soon; one that has lasted long lasts, on average, as long again. */
    static Duration expectedGap(Duration dryFor) {
        return dryFor.compareTo(USUAL_GAP) > 0 ? dryFor : USUAL_GAP;
    }

    private static double hours(Duration duration) {
        return duration.toMillis() / 3_600_000.0;
    }
}
