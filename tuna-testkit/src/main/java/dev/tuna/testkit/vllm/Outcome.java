package dev.tuna.testkit.vllm;

/** How a request to the stand-in ended. */
public enum Outcome {
    /** Not ended yet: queued, running or stalled. */
    IN_FLIGHT,
    /** Answered in full with a status below 400. */
    COMPLETED,
    /** Answered with an error status. */
    REJECTED,
    /** The client hung up before the answer was complete. */
    ABORTED,
    /** A fault cut the answer or spoiled its end. */
    FAULTED,
    /** The server went away, or ended the answer with the finish reason {@code abort}. */
    KILLED
}
