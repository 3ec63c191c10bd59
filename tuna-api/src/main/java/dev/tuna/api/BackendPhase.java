package dev.tuna.api;

/** How far a serverless endpoint or a replica has come; the order is the usual order of events. */
public enum BackendPhase {
    /** Asked for; the provider has not placed it yet. */
    REQUESTED,
    /** The machine or container starts. */
    BOOTING,
    /** The container image is being fetched. */
    IMAGE,
    /** The model's weights are being loaded. */
    WEIGHTS,
    /** The model server starts. */
    ENGINE,
    /** It can take requests. A serverless endpoint that scaled to zero is ready too: it wakes by itself. */
    READY,
    /** It finishes what it has and takes nothing new. */
    DRAINING,
    /** It cannot come up or broke; it may still be billed until it is gone. */
    FAILED,
    /** The provider confirms that it no longer exists; nothing more is billed. */
    GONE
}
