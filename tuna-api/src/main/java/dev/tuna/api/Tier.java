package dev.tuna.api;

/** What kind of machine a backend runs on, which decides its price and who may take it away. */
public enum Tier {
    /** A provider's serverless endpoint: up in seconds to minutes, never reclaimed, billed by container time. */
    SERVERLESS,
    /** A rented machine on spare capacity: cheap, billed from launch to end, reclaimed on short notice. */
    SPOT,
    /** A rented machine at list price: billed from launch to end, not reclaimed. */
    ON_DEMAND
}
