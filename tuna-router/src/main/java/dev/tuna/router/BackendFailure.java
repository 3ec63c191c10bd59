package dev.tuna.router;

/** How a backend failed an attempt. The router's retry rule depends on how far the attempt had come. */
public enum BackendFailure {
    /** No connection could be made: nothing was sent, another backend may be tried. */
    CONNECT,
    /** The connection broke after the request was sent and before a byte of the answer came. */
    NO_ANSWER,
    /** The first byte or token did not come in time. */
    SLOW_FIRST_TOKEN,
    /** It answered 5xx, or its front end said that no server will serve the request. */
    SERVER_ERROR,
    /**
     * It answered 408, 425, 429 or a 503 with {@code Retry-After}, or its front end said that no server has taken the
     * request yet: overloaded, not broken.
     */
    OVERLOADED,
    /** What it sent is not HTTP, or not what it announced. */
    PROTOCOL,
    /** The stream broke, stalled or said that it failed, after bytes had reached the client. */
    MID_STREAM
}
