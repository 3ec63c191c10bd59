package dev.tuna.provider.modal;

import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;

/** Time that passes when a test says so. Thread-safe. */
final class MovableClock implements InstantSource {

    private final Instant start = Instant.now();
    private final AtomicLong passed = new AtomicLong();

    void passSeconds(long seconds) {
        passed.addAndGet(seconds);
    }

    @Override
    public Instant instant() {
        return start.plusSeconds(passed.get());
    }
}
