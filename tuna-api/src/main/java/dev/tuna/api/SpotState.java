package dev.tuna.api;

/** What the fleet of rented replicas can do for a request that arrives now. */
public enum SpotState {
    /** No replica runs or boots. */
    COLD,
    /** At least one replica boots, none serves. */
    WARMING,
    /** At least one replica serves. */
    READY
}
