package dev.tuna.testkit.aws;

import java.util.Objects;

/**
 * What has a stock of its own: one type in one zone, for one market.
 *
 * @param zone name of the zone
 * @param type instance type
 * @param market how it is paid for
 */
public record Pool(String zone, String type, Market market) {

    /** Checks that every part is there. */
    public Pool {
        Objects.requireNonNull(zone, "zone");
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(market, "market");
    }

    /**
     * The region of the zone.
     *
     * @return for instance {@code us-east-1}
     */
    public String region() {
        return zone.substring(0, zone.length() - 1);
    }
}
