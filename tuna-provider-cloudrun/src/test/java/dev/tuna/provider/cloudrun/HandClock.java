package dev.tuna.provider.cloudrun;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** A clock that goes when it is told to, from the system's time on. Thread-safe. */
final class HandClock implements InstantSource {

    private volatile Instant now = Instant.now();

    void pass(Duration span) {
        now = now.plus(span);
    }

    @Override
    public Instant instant() {
        return now;
    }
}
