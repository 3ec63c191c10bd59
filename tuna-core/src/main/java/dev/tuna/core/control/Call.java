package dev.tuna.core.control;

import java.time.Instant;

/**
 * A call under way whose answer will come as a message.
 *
 * @param generation unique within the deployment; an answer with another one is late and dropped
 * @param deadline when the call counts as failed, in steady time
 */
record Call(long generation, Instant deadline) {}
