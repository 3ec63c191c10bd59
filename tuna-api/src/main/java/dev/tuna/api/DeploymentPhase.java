package dev.tuna.api;

/** Where a deployment is in its life. */
public enum DeploymentPhase {
    /** It serves, or works towards serving. */
    ACTIVE,
    /** It is being torn down; the clouds have not confirmed everything yet. */
    DESTROYING,
    /** Nothing of it is left; the clouds have confirmed. */
    DESTROYED,
    /** Nothing of it serves and nothing is left that could. */
    FAILED
}
