package dev.tuna.api;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * A line that a container of a deployment has written, or its cloud about it.
 *
 * @param backend which endpoint it belongs to
 * @param at when it was written; empty if the cloud does not tell
 * @param container the cloud's name for the container; empty if it does not tell
 * @param text the line without its end; what a container prints is its own affair and may be anything
 */
public record LogEntry(String backend, Optional<Instant> at, String container, String text) {

    /** Checks that every part is there. */
    public LogEntry {
        Objects.requireNonNull(backend, "backend");
        Objects.requireNonNull(at, "at");
        Objects.requireNonNull(container, "container");
        Objects.requireNonNull(text, "text");
    }
}
