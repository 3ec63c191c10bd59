package dev.tuna.core.control;

/** What a deployment is meant to come to. */
enum Goal {
    /** To serve. */
    SERVE,
    /** To be gone because somebody asked for it. */
    DESTROY,
    /** To be gone because nothing of it can serve. */
    FAIL
}
