package dev.tuna.provider.modal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for what real processes do. */
final class Eventually {

    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(60);
    private static final long LOOK = TimeUnit.MILLISECONDS.toNanos(20);

    private Eventually() {}

    static void holds(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE;
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - deadline)
                    .as("time over for: %s", what)
                    .isNegative();
            LockSupport.parkNanos(LOOK);
        }
    }

    static ServerlessObservation is(ServerlessCloud cloud, ResourceRef resource, BackendPhase phase) {
        holds(resource + " is " + phase, () -> cloud.observe(resource).phase() == phase);
        return cloud.observe(resource);
    }
}
