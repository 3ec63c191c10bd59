package dev.tuna.spi;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * A line that a container of a serverless endpoint has written, or its cloud about it.
 *
 * @param at when, if the cloud tells
 * @param container the cloud's name for the container; empty if it does not tell
 * @param text the line without its end; what a container prints is its own affair and may be anything
 */
public record LogLine(Optional<Instant> at, String container, String text) {

    /** Checks that every part is there. */
    public LogLine {
        Objects.requireNonNull(at, "at");
        Objects.requireNonNull(container, "container");
        Objects.requireNonNull(text, "text");
    }
}
