package dev.tuna.core.replay;

/**
 * A zone of a spot market.
 *
 * @param region its region
 * @param name its name
 */
record Zone(String region, String name) {

    static Zone of(String name) {
        return new Zone(name.substring(0, name.length() - 1), name);
    }
}
