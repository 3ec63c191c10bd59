package dev.tuna.core.control;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/** The wall clock, and steady time, which begins with it and does not jump when it is set. Immutable and thread-safe. */
final class Times {

    private final InstantSource clock;
    private final LongSupplier ticker;
    private final Instant wallAtStart;
    private final long ticksAtStart;

    Times(InstantSource clock, LongSupplier ticker) {
        this.clock = clock;
        this.ticker = ticker;
        this.wallAtStart = clock.instant();
        this.ticksAtStart = ticker.getAsLong();
    }

    Now now() {
        Duration passed = Duration.ofNanos(ticker.getAsLong() - ticksAtStart);
        return new Now(clock.instant(), wallAtStart.plus(passed));
    }
}
