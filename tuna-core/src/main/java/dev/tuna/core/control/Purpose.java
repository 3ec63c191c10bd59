package dev.tuna.core.control;

/** What launches are for. */
enum Purpose {
    /** Replicas are missing. */
    MISSING,
    /** Replicas are to take the place of such as their cloud recommends to leave. */
    RELOCATION,
    /** Spot is to take the place of a machine at list price. */
    LIST_PRICE
}
